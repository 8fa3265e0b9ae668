//! What Souk promises, put to the proof: its tests kill the real services between any two steps.
