"""Facts in, one reviewed plan out: pure."""
