//! How much may be asked again at once, for all migrations together. A copy's own permit is given back when the copy has
//! ended; what is asked after that is not urgent, and must not become a second load on a side that is slow.
//!
//! What finds no room never depends on what a reply says: a doubt waits, however long, and the engine took its place
//! before the replies were compared; noise is refused by what is under way alone. Each has its own room, or many
//! differences would decide what is learnt of noise.

use tokio::sync::{Semaphore, SemaphorePermit};

/// Doubts that are being asked about at once, each on both sides.
pub(super) const DOUBTS: usize = 16;

/// Requests at once that ask `old` a second time.
pub(super) const NOISE: usize = 16;

#[derive(Debug)]
pub(super) struct Room {
    doubts: Semaphore,
    noise: Semaphore,
}

impl Default for Room {
    fn default() -> Self {
        Self { doubts: Semaphore::new(DOUBTS), noise: Semaphore::new(NOISE) }
    }
}

impl Room {
    /// Waits for its turn, in the order of arrival. `None` never comes: nobody closes it.
    pub(super) async fn doubt(&self) -> Option<SemaphorePermit<'_>> {
        self.doubts.acquire().await.ok()
    }

    /// Does not wait: replies would be held meanwhile, and take the room of copies.
    pub(super) fn noise(&self) -> Option<SemaphorePermit<'_>> {
        self.noise.try_acquire().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn noise_is_refused_beyond_its_room_and_doubts_have_their_own() {
        let room = Room::default();
        let mut held: Vec<_> = (0..NOISE).map_while(|_| room.noise()).collect();
        assert_eq!(held.len(), NOISE);
        assert!(room.noise().is_none());
        assert_eq!(room.doubts.available_permits(), DOUBTS);
        held.pop();
        assert!(room.noise().is_some());
    }
}
