//! The series that is being audited.

use super::Finding;

/// The series that is being audited.
pub(super) struct Place<'a> {
    pub(super) client: &'a str,
    pub(super) form: &'a str,
}

impl Place<'_> {
    /// A finding in this series.
    pub(super) fn finding(
        &self,
        week: Option<u32>,
        documents: impl IntoIterator<Item = impl Into<String>>,
    ) -> Finding {
        let documents = documents.into_iter().map(Into::into).collect();
        Finding {
            client: self.client.to_owned(),
            form: Some(self.form.to_owned()),
            week,
            documents,
            field: None,
            resolve: None,
        }
    }
}
