//! What answers questions about images, and how large an image may be.

use super::{Config, Reader};

/// How images are taken under `/v1/vision`.
#[derive(Debug, Clone)]
pub struct Vision {
    /// The models that are tried in turn where a client names none; empty: the gateway chooses.
    pub models: Vec<String>,
    /// The largest image, in bytes, as far as the operator says.
    pub image: usize,
}

pub(super) fn read(reader: &mut Reader) -> Vision {
    Vision {
        image: reader.bytes("MAX_IMAGE_SIZE").unwrap_or(10 * 1024 * 1024),
        models: reader.list("DEFAULT_MODEL").map(str::to_owned).collect(),
    }
}

impl Config {
    /// The largest image that is taken, in bytes: it has to fit into a request, in which it is base64, a third larger,
    /// beside a few words.
    #[must_use]
    pub fn most_image(&self) -> usize {
        self.vision.image.min(self.image_room())
    }

    /// The largest image that fits into a request.
    #[must_use]
    pub(super) fn image_room(&self) -> usize {
        let request = self.limits.request.min(self.platform.most_request().unwrap_or(usize::MAX));
        (request - request / 64) / 4 * 3
    }
}

#[cfg(test)]
mod tests {
    use crate::config::tests::{config, problems};
    use crate::config::{Config, Platform};

    fn check(platform: Platform, vars: &[(&str, &str)], expected: usize) {
        let most = Config::read(vars.iter().copied(), platform).unwrap().most_image();
        assert_eq!(most, expected, "{platform:?} {vars:?}");
    }

    #[test]
    fn an_image_is_as_large_as_the_operator_and_the_platform_allow() {
        check(Platform::Local, &[], 10_485_760);
        check(Platform::Local, &[("MAX_IMAGE_SIZE", "1000")], 1000);
        check(Platform::Local, &[("MAX_REQUEST_SIZE", "6400")], 4725);
        check(Platform::Vercel, &[], 3_096_576);
        check(Platform::Vercel, &[("MAX_REQUEST_SIZE", "100000000")], 3_322_266);
        check(Platform::Lambda, &[("MAX_IMAGE_SIZE", "20000000")], 3_322_266);
        assert_eq!(problems(&[("MAX_IMAGE_SIZE", "10MB")]).len(), 1);
    }

    #[test]
    fn the_default_model_may_be_a_list() {
        let models = |set: &str| config(&[("DEFAULT_MODEL", set)]).vision.models;
        assert_eq!(models("openrouter/a/b, gpt-6-luna,"), ["openrouter/a/b", "gpt-6-luna"]);
        assert!(models("").is_empty());
    }
}
