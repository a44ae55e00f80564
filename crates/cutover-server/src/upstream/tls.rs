//! Certificate authorities of a backend: a PEM file, read when the configuration is loaded.

use super::UpstreamError;
use cutover::config::Surroundings;
use cutover::core::backend::BackendTls;
use pingora::protocols::tls::CaType;
use pingora::utils::tls::{WrappedX509, parse_x509};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use std::sync::Arc;

/// The authorities to trust instead of the system's; `None` if none are configured.
pub(super) fn authorities(
    backend: &str,
    tls: &BackendTls,
    around: &dyn Surroundings,
) -> Result<Option<Arc<CaType>>, UpstreamError> {
    let Some(file) = &tls.ca else { return Ok(None) };
    let wrong =
        |what: String| UpstreamError::Ca { backend: backend.into(), file: file.clone(), what };
    let pem = around.file(file).map_err(|error| wrong(error.to_string()))?;
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(&pem).collect();
    let certificates = certificates.map_err(|error| wrong(error.to_string()))?;
    if certificates.is_empty() {
        return Err(wrong("no certificate in it".to_owned()));
    }
    let wrapped = certificates.iter().map(|der| WrappedX509::new(der.to_vec(), parse_x509));
    Ok(Some(wrapped.collect::<Vec<_>>().into()))
}
