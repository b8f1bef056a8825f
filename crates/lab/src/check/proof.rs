//! S4: a block with a proof that anybody accepts who knows the validators; and certificates wherever they are shown.

use std::collections::BTreeSet;

use types::block::Header;
use types::certificate::Certificate;
use types::proof::ProvedBlock;
use types::vote::Phase;

use super::bytes::{Members, header_id};

/// Whether the proof is one of this block. The body is not looked at.
pub(super) fn check(members: &Members, proved: &ProvedBlock) -> Result<(), String> {
    let last = last_header(members, proved)?;
    let certificate = &proved.proof.certificate;
    let statement = &certificate.statement;
    if statement.phase != Phase::Commit {
        return Err("the certificate is of prepare votes".to_owned());
    }
    if statement.height != last.height || statement.block != header_id(last) {
        return Err("the certificate is for another block".to_owned());
    }
    check_certificate(members, certificate)
}

/// Whether distinct members, a quorum, signed what a certificate certifies.
pub(super) fn check_certificate(
    members: &Members,
    certificate: &Certificate,
) -> Result<(), String> {
    let who: BTreeSet<u16> = certificate.signatures.iter().map(|(who, _)| who.get()).collect();
    if who.len() != certificate.signatures.len() {
        return Err("somebody signed twice".to_owned());
    }
    if who.len() < members.quorum() {
        return Err(format!("{} signatures, {} are needed", who.len(), members.quorum()));
    }
    if who.iter().any(|who| usize::from(*who) >= members.count()) {
        return Err("somebody signed who is no member".to_owned());
    }
    let signatures: Vec<_> = certificate
        .signatures
        .iter()
        .map(|(who, signature)| (usize::from(who.get()), *signature))
        .collect();
    if !members.signed_by(&certificate.statement, &signatures) {
        return Err("a signature of the certificate does not hold".to_owned());
    }
    Ok(())
}

/// The header that the certificate is for: the block's, or that of a descendant, every link
/// followed.
fn last_header<'a>(members: &Members, proved: &'a ProvedBlock) -> Result<&'a Header, String> {
    let mut last = &proved.block.header;
    for next in &proved.proof.descendants {
        if next.parent != header_id(last) || next.height != last.height.next() {
            return Err(format!("the header at height {} does not follow", next.height));
        }
        last = next;
    }
    let all = std::iter::once(&proved.block.header).chain(&proved.proof.descendants);
    let mut foreign = all.filter(|header| header.chain.digest().as_bytes() != members.chain());
    match foreign.next() {
        Some(header) => Err(format!("the header at height {} is of another chain", header.height)),
        None => Ok(last),
    }
}
