//! The arguments that name a series: the name of its stream, or a client and a form.

use clap::Args;
use rollbook_application::store::Reading;
use rollbook_domain::StreamId;

use crate::cli::error::CliError;

/// A series: its stream's name, or its client and form.
#[derive(Debug, Args)]
pub(super) struct SeriesName {
    /// The series: series/<client>/<form>.
    #[arg(value_name = "SERIES", required_unless_present = "client", conflicts_with_all = ["client", "form"])]
    pub(super) series: Option<String>,
    /// The client, by any id.
    #[arg(long, value_name = "ID", requires = "form")]
    pub(super) client: Option<String>,
    /// The form.
    #[arg(long, value_name = "ID", requires = "client")]
    pub(super) form: Option<String>,
}

impl SeriesName {
    /// The stream of the series.
    ///
    /// # Errors
    /// If the series does not exist.
    pub(super) fn resolve(&self, reading: &Reading<'_>) -> Result<StreamId, CliError> {
        match (&self.series, &self.client, &self.form) {
            (Some(name), _, _) => Ok(reading.series_named(name)?),
            (None, Some(client), Some(form)) => Ok(reading.series_of(client, form)?),
            // clap requires one or the other.
            _ => Err(CliError::Usage("give the series, or its --client and --form".to_owned())),
        }
    }
}
