//! Chat clients, served by Gemini's native API.
