//! The vocabularies that count tokens, as the template lays them beside the functions.
//!
//! A function that contained them would be larger than 8 MB and start more slowly, whether or not it ever counts. Where
//! the layer is not there, every count is an estimate and says so.

use std::path::Path;

use twinlane_gateway::Tokenizers;

/// Where Lambda unpacks layers.
const LAYERS: &str = "/opt";

/// Tokenizers that read a vocabulary from the layer when they first need it.
pub(crate) fn tokenizers() -> Tokenizers {
    in_folder(Path::new(LAYERS))
}

fn in_folder(folder: &'static Path) -> Tokenizers {
    Tokenizers::new(|encoding| Some(std::fs::read(folder.join(encoding.file_name())).ok()?.into()))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::in_folder;

    #[test]
    fn the_layer_s_files_are_those_that_are_looked_for() {
        let layer = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/tokens/data"));
        for model in ["gpt-4o", "gpt-4"] {
            assert!(in_folder(layer).count(model, "tiktoken is great!").exact, "{model}");
            assert!(!in_folder(Path::new("/nowhere")).count(model, "tiktoken is great!").exact, "{model}");
        }
    }
}
