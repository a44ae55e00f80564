//! Figures of pairs: what was measured of two programs in turn, so that a drift of the machine falls on both.

/// The middle of the values; of an even number the upper one of the two.
///
/// # Panics
/// If there are none.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

/// The least and the greatest.
pub fn range(values: &[f64]) -> (f64, f64) {
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    (low, high)
}

/// Between these two of the values, by their ranks, the true median lies in 95 of 100 measurements, whatever their
/// distribution. A single pair that the machine has spoilt does not widen it. Of five values or fewer, all of them.
pub fn interval(values: &[f64]) -> (f64, f64) {
    let mut values = values.to_vec();
    values.sort_by(f64::total_cmp);
    let (count, mut below) = (values.len(), 0);
    // P(fewer than `below` + 1 of them lie below the median), each with probability one half.
    let (mut term, mut sum) = (0.5_f64.powi(i32::try_from(count).unwrap_or(i32::MAX)), 0.0);
    for rank in 0..count / 2 {
        sum += term;
        if sum > 0.025 {
            break;
        }
        below = rank + 1;
        term *= (count - rank) as f64 / (rank + 1) as f64;
    }
    let outside = below.saturating_sub(1);
    let at = |rank: usize| values.get(rank).copied().unwrap_or(f64::NAN);
    (at(outside), at(count.saturating_sub(1 + outside)))
}

/// Two measurements, in the order A B for even pairs and B A for odd ones.
///
/// # Errors
/// The first error of either.
pub fn in_turn<T, E>(
    pair: usize,
    mut a: impl FnMut() -> Result<T, E>,
    mut b: impl FnMut() -> Result<T, E>,
) -> Result<(T, T), E> {
    if pair.is_multiple_of(2) {
        let a = a()?;
        Ok((a, b()?))
    } else {
        let b = b()?;
        Ok((a()?, b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_and_the_ends() {
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(range(&[3.0, 1.0, 2.0]), (1.0, 3.0));
    }

    /// Ranks as tables of the sign test have them: 12 values, the third from each end; 20, the sixth.
    #[test]
    fn the_interval_of_a_median() {
        let values = |count: u32| (1..=count).map(f64::from).collect::<Vec<_>>();
        assert_eq!(interval(&values(5)), (1.0, 5.0));
        assert_eq!(interval(&values(6)), (1.0, 6.0));
        assert_eq!(interval(&values(12)), (3.0, 10.0));
        assert_eq!(interval(&values(20)), (6.0, 15.0));
    }

    #[test]
    fn odd_pairs_begin_with_the_second() {
        let order = std::cell::RefCell::new(String::new());
        let note = |who: char| {
            order.borrow_mut().push(who);
            Ok::<_, ()>(who)
        };
        for pair in 0..2 {
            assert_eq!(in_turn(pair, || note('a'), || note('b')), Ok(('a', 'b')));
        }
        assert_eq!(order.into_inner(), "abba");
    }
}
