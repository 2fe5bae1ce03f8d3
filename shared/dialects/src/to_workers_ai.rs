//! Workers AI's native API: images and embeddings that its compatible API has not.
