//! What only tests ask of layers.

use super::Layers;

impl Layers {
    /// Asserts that the counts of touched accounts are what the layers give.
    pub(crate) fn assert_consistent(&self) {
        let mut touched = vec![0_u16; self.touched.0.len()];
        for layer in self.layers.values() {
            for (number, _) in &layer.changed {
                touched[usize::try_from(*number).unwrap()] += 1;
            }
            assert!(layer.changed.is_sorted_by_key(|(number, _)| *number));
            assert!(layer.senders.is_sorted_by(|one, other| one.0 < other.0));
            assert!(self.height_of(&layer.parent).is_some(), "a layer stands on nothing");
        }
        assert_eq!(self.touched.0, touched);
    }
}
