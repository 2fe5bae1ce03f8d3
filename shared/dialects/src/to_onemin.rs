//! Chat clients, served by 1min.ai.
