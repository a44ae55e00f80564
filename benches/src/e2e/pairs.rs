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
