//! Chat requests as "compatible" providers take them: parameters dropped, renamed and respelt by their quirks.
