//! Epoch-based memory reclamation with bounded garbage
