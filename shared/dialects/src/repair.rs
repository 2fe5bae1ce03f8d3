//! Keeps the streams of "compatible" providers to the format their clients expect.
