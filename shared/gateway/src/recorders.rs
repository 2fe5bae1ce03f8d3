//! Everybody who keeps records of calls: the log, and those who watch, where the settings name any.

use std::sync::Arc;

use crate::Error;
use crate::config::{Config, Platform};
use crate::log::Logger;
use crate::metrics::Metrics;
use crate::record::{Record, Recorder};
use crate::telemetry::Telemetry;

/// Who keeps records here.
#[derive(Debug, Clone, Default)]
pub struct Recorders {
    /// Tells collectors of OpenTelemetry.
    pub(crate) telemetry: Option<Arc<Telemetry>>,
    /// Counts for Prometheus.
    pub(crate) metrics: Option<Arc<Metrics>>,
}

impl Recorders {
    /// Those whom the settings name.
    #[must_use]
    pub fn of(config: &Config) -> Self {
        let telemetry = Telemetry::of(config).map(Arc::new);
        if let Some(telemetry) = telemetry.as_ref().filter(|_| config.platform == Platform::Local) {
            telemetry.keep_telling();
        }
        Self { telemetry, metrics: config.telemetry.page.then(|| Arc::new(Metrics::default())) }
    }

    /// Tells what has not been told yet.
    pub(crate) async fn flush(&self) {
        if let Some(telemetry) = &self.telemetry {
            telemetry.flush().await;
        }
    }

    fn all(&self) -> impl Iterator<Item = &dyn Recorder> {
        let telemetry = self.telemetry.as_deref().map(|telemetry| telemetry as &dyn Recorder);
        let metrics = self.metrics.as_deref().map(|metrics| metrics as &dyn Recorder);
        [Some(&Logger as &dyn Recorder), telemetry, metrics].into_iter().flatten()
    }
}

impl Recorder for Recorders {
    fn arrived(&self) {
        self.all().for_each(Recorder::arrived);
    }

    fn began(&self, record: &Record, path: &str) {
        self.all().for_each(|recorder| recorder.began(record, path));
    }

    fn failed(&self, record: &Record, error: &Error) {
        self.all().for_each(|recorder| recorder.failed(record, error));
    }

    fn ended(&self, record: &Record) {
        self.all().for_each(|recorder| recorder.ended(record));
    }
}
