//! What a conversion to UTF-8 says after each step.

/// How far a conversion came.
pub(super) struct Step {
    /// Bytes that it took.
    pub(super) taken: usize,
    /// What stopped it before it had taken all.
    pub(super) fault: Option<Misfit>,
}

/// Bytes that are no text, among those that were taken.
pub(super) struct Misfit {
    /// How many they are.
    pub(super) bytes: u64,
    /// How many were taken from the first of them on: more than they are, where others had to be
    /// seen to know.
    pub(super) behind: u64,
}
