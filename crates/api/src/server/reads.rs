//! Endpoints that look things up.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use types::address::Address;
use types::block::Block;
use types::evidence::EvidenceId;
use types::lost::{LostProposal, ProposalPlace};
use types::number::Height;
use types::proof::ProvedBlock;
use types::transaction::TransactionId;

use crate::backend::{AccountView, Backend, Known};
use crate::hex;
use crate::openapi;
use crate::problem::{Code, Problem};
use crate::server::answer::{Answer, JSON, OPEN_METRICS, TEXT, TOML, body, json};
use crate::server::app::App;
use crate::server::query::{Nothing, Page, Parameters};
use crate::server::request::Segment;
use crate::types::{
    AccountAnswer, BlockAnswer, BlockName, BlockPage, BlockSummary, CertificateAnswer,
    EvidenceAnswer, EvidencePage, EvidenceSummary, ForkAnswer, ForkPage, HistoryEntry, HistoryPage,
    Position, StandingAnswer, Status, SubmitStatus, TransactionAnswer, TransactionText, Validators,
    scalar,
};

/// How the validator is, as it sees itself.
#[utoipa::path(get, path = "/v1/status", tag = "validator", responses(
    (status = 200, description = "its status", body = Status),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn status<B: Backend>(
    State(app): State<App<B>>,
    _: Parameters<Nothing>,
) -> Answer {
    let live = app.read(app.backend.live()).await?;
    json(StatusCode::OK, &Status::new(app.backend.genesis(), &live))
}

/// The genesis document, as its operator wrote it.
#[utoipa::path(get, path = "/v1/genesis", tag = "validator", responses(
    (status = 200, description = "the document", body = String, content_type = "application/toml"),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn genesis<B: Backend>(
    State(app): State<App<B>>,
    _: Parameters<Nothing>,
) -> Response {
    body(StatusCode::OK, TOML, app.backend.genesis_text().to_owned())
}

/// The validators of the network, and to which of them this one is connected.
#[utoipa::path(get, path = "/v1/validators", tag = "validator", responses(
    (status = 200, description = "the validators", body = Validators),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn validators<B: Backend>(
    State(app): State<App<B>>,
    _: Parameters<Nothing>,
) -> Answer {
    let live = app.read(app.backend.live()).await?;
    json(StatusCode::OK, &Validators::new(app.backend.genesis(), &live))
}

/// Committed blocks without their transactions, newest first.
#[utoipa::path(get, path = "/v1/blocks", tag = "blocks", params(
    ("before" = Option<scalar::Integer>, Query, description = "only blocks below this height"),
    ("limit" = Option<u32>, Query, description = "at most so many, 1 to 100 (50)"),
), responses(
    (status = 200, description = "a page", body = BlockPage),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn blocks<B: Backend>(
    State(app): State<App<B>>,
    Parameters(page): Parameters<Page<Height>>,
) -> Answer {
    let Page { begin: before, limit } = page;
    let headers = app.read(app.backend.headers(before, limit)).await?;
    let mut blocks: Vec<BlockSummary> = headers.iter().map(BlockSummary::new).collect();
    let mut next = None;
    if blocks.len() >= limit {
        next = blocks.last().map(|block| block.height);
    } else if before != Some(Height::GENESIS) {
        blocks.push(BlockSummary::new(app.backend.genesis().header()));
    }
    json(StatusCode::OK, &BlockPage { blocks, next })
}

/// A committed block.
#[utoipa::path(get, path = "/v1/blocks/{block}", tag = "blocks", params(
    ("block" = String, Path, description = "its height, or its id"),
), responses(
    (status = 200, description = "the block", body = BlockAnswer),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn block<B: Backend>(
    State(app): State<App<B>>,
    Segment(name): Segment<BlockName>,
    _: Parameters<Nothing>,
) -> Answer {
    let genesis = app.backend.genesis();
    match find(&app, name).await? {
        Found::Genesis(block) => json(StatusCode::OK, &BlockAnswer::new(genesis, &block)),
        Found::Proved(proved) => json(StatusCode::OK, &BlockAnswer::new(genesis, &proved.block)),
    }
}

/// What proves that a block is committed.
#[utoipa::path(get, path = "/v1/blocks/{block}/certificate", tag = "blocks", params(
    ("block" = String, Path, description = "its height, or its id"),
), responses(
    (status = 200, description = "the proof", body = CertificateAnswer),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn certificate<B: Backend>(
    State(app): State<App<B>>,
    Segment(name): Segment<BlockName>,
    _: Parameters<Nothing>,
) -> Answer {
    let proved = proved(find(&app, name).await?)?;
    let answer = CertificateAnswer::new(app.backend.genesis(), &proved);
    json(StatusCode::OK, &answer)
}

/// A committed block with its proof, as hexadecimal wire bytes: all that a checker needs.
#[utoipa::path(get, path = "/v1/blocks/{block}/wire", tag = "blocks", params(
    ("block" = String, Path, description = "its height, or its id"),
), responses(
    (status = 200, description = "the block and its proof", body = String, content_type = "text/plain"),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn wire<B: Backend>(
    State(app): State<App<B>>,
    Segment(name): Segment<BlockName>,
    _: Parameters<Nothing>,
) -> Answer {
    let proved = proved(find(&app, name).await?)?;
    Ok(body(StatusCode::OK, TEXT, hex::to_hex_wire(&*proved)))
}

/// What became of a transaction.
#[utoipa::path(get, path = "/v1/transactions/{id}", tag = "transactions", params(
    ("id" = String, Path, description = "its id, 64 hexadecimal digits"),
), responses(
    (status = 200, description = "what this validator knows", body = TransactionAnswer),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn transaction<B: Backend>(
    State(app): State<App<B>>,
    Segment(id): Segment<TransactionId>,
    _: Parameters<Nothing>,
) -> Answer {
    let genesis = app.backend.genesis();
    let known = app.read(app.backend.transaction(id)).await?;
    let answer = match known {
        None => {
            return Err(Problem::new(
                Code::TransactionNotFound,
                format!("transaction {id} is neither pending nor committed here"),
            ));
        }
        Some(Known::Pending(signed)) => TransactionAnswer {
            id,
            status: SubmitStatus::Pending,
            height: None,
            block: None,
            index: None,
            transaction: TransactionText::new(genesis, &signed),
            receipt: None,
        },
        Some(Known::Committed(receipt)) => TransactionAnswer {
            id,
            status: SubmitStatus::Committed,
            height: Some(receipt.reply.statement.height),
            block: Some(receipt.reply.statement.block),
            index: Some(receipt.index),
            transaction: TransactionText::new(genesis, &receipt.transaction),
            receipt: Some(*receipt),
        },
    };
    json(StatusCode::OK, &answer)
}

/// An account in the last committed state, with what proves it.
#[utoipa::path(get, path = "/v1/accounts/{address}", tag = "accounts", params(
    ("address" = String, Path, description = "its address"),
), responses(
    (status = 200, description = "the account", body = AccountAnswer),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn account<B: Backend>(
    State(app): State<App<B>>,
    Segment(text): Segment<String>,
    _: Parameters<Nothing>,
) -> Answer {
    let address = address(&app, &text)?;
    let found: Option<AccountView> = app.read(app.backend.account(address)).await?;
    let view = found.ok_or_else(|| {
        Problem::new(
            Code::AccountNotFound,
            format!("{text} has no account: nobody has sent it anything"),
        )
    })?;
    json(StatusCode::OK, &AccountAnswer::new(app.backend.genesis(), view))
}

/// Committed transactions of an account, newest first; none for an account that does not exist.
#[utoipa::path(get, path = "/v1/accounts/{address}/history", tag = "accounts", params(
    ("address" = String, Path, description = "its address"),
    ("before" = Option<String>, Query, description = "only what stands before HEIGHT-INDEX"),
    ("limit" = Option<u32>, Query, description = "at most so many, 1 to 100 (50)"),
), responses(
    (status = 200, description = "a page", body = HistoryPage),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn history<B: Backend>(
    State(app): State<App<B>>,
    Segment(text): Segment<String>,
    Parameters(page): Parameters<Page<Position>>,
) -> Answer {
    let address = address(&app, &text)?;
    let Page { begin: before, limit } = page;
    let happened = app.read(app.backend.history(address, before, limit)).await?;
    let next =
        (happened.len() >= limit).then(|| happened.last().map(|last| last.position)).flatten();
    let genesis = app.backend.genesis();
    let entries = happened.iter().map(|happened| HistoryEntry::new(genesis, happened)).collect();
    json(StatusCode::OK, &HistoryPage { entries, next })
}

/// Proofs that a validator's key lied, without the statements in them, by ascending id.
#[utoipa::path(get, path = "/v1/evidence", tag = "evidence", params(
    ("after" = Option<String>, Query, description = "only pieces behind this id"),
    ("limit" = Option<u32>, Query, description = "at most so many, 1 to 100 (50)"),
), responses(
    (status = 200, description = "a page", body = EvidencePage),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn evidence<B: Backend>(
    State(app): State<App<B>>,
    Parameters(page): Parameters<Page<EvidenceId>>,
) -> Answer {
    let Page { begin: after, limit } = page;
    let kept = app.read(app.backend.evidence(after, limit)).await?;
    let next = (kept.len() >= limit).then(|| kept.last().map(|last| last.outline.id)).flatten();
    let genesis = app.backend.genesis();
    let evidence = kept.iter().map(|kept| EvidenceSummary::new(genesis, kept)).collect();
    json(StatusCode::OK, &EvidencePage { evidence, next })
}

/// A proof that a validator's key lied: both statements, and all of it for a checker.
#[utoipa::path(get, path = "/v1/evidence/{id}", tag = "evidence", params(
    ("id" = String, Path, description = "its id, 64 hexadecimal digits"),
), responses(
    (status = 200, description = "the evidence", body = EvidenceAnswer),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn evidence_piece<B: Backend>(
    State(app): State<App<B>>,
    Segment(id): Segment<EvidenceId>,
    _: Parameters<Nothing>,
) -> Answer {
    let found = app.read(app.backend.evidence_piece(id)).await?;
    let (evidence, stored_ms) = found.ok_or_else(|| {
        Problem::new(Code::EvidenceNotFound, format!("evidence {id} is not kept here"))
    })?;
    json(StatusCode::OK, &EvidenceAnswer::new(app.backend.genesis(), evidence, stored_ms))
}

/// How the validator is, and what it and the others last said of themselves, signed.
#[utoipa::path(get, path = "/v1/standing", tag = "validator", responses(
    (status = 200, description = "where all stand", body = StandingAnswer),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn standing<B: Backend>(
    State(app): State<App<B>>,
    _: Parameters<Nothing>,
) -> Answer {
    let live = app.read(app.backend.live()).await?;
    let said = app.read(app.backend.said()).await?;
    let status = Status::new(app.backend.genesis(), &live);
    json(StatusCode::OK, &StandingAnswer { status, said })
}

/// Proposals that did not become part of the chain, as this validator saw them, from the highest down.
#[utoipa::path(get, path = "/v1/forks", tag = "forks", params(
    ("before" = Option<String>, Query, description = "only those below HEIGHT-VIEW-BLOCK"),
    ("limit" = Option<u32>, Query, description = "at most so many, 1 to 100 (50)"),
), responses(
    (status = 200, description = "a page", body = ForkPage),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn forks<B: Backend>(
    State(app): State<App<B>>,
    Parameters(page): Parameters<Page<ProposalPlace>>,
) -> Answer {
    let Page { begin: before, limit } = page;
    let (lost, forgotten) = app.read(app.backend.lost(before, limit)).await?;
    let next = (lost.len() >= limit).then(|| lost.last().map(LostProposal::place)).flatten();
    let genesis = app.backend.genesis();
    let forks = lost.into_iter().map(|lost| ForkAnswer::new(genesis, lost)).collect();
    json(StatusCode::OK, &ForkPage { forks, next, forgotten })
}

/// The process answers.
#[utoipa::path(get, path = "/livez", tag = "operation", responses(
    (status = 200, description = "it lives", body = String, content_type = "text/plain"),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn livez(_: Parameters<Nothing>) -> Response {
    body(StatusCode::OK, TEXT, "ok\n")
}

/// The validator reaches enough others for a quorum and has caught up with t + 1 of them.
#[utoipa::path(get, path = "/readyz", tag = "operation", responses(
    (status = 200, description = "it is ready", body = String, content_type = "text/plain"),
    (status = "default", description = "it is not", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn readyz<B: Backend>(
    State(app): State<App<B>>,
    _: Parameters<Nothing>,
) -> Answer {
    let live = app.read(app.backend.live()).await?;
    if live.ready {
        return Ok(body(StatusCode::OK, TEXT, "ready\n"));
    }
    if live.retired {
        let text = "this validator never votes again under its key: its vote journal was lost, or the key \
                    has spoken elsewhere; it follows the others and serves what it has";
        return Err(Problem::new(Code::NotReady, text));
    }
    let validators = app.backend.genesis().validators();
    Err(Problem::new(
        Code::NotReady,
        format!(
            "connected to {} of {} other validators; ready with a quorum, and when {} others have had no \
             block that this one lacks",
            live.connected.len(),
            validators.len().saturating_sub(1),
            validators.quorum().reply()
        ),
    ))
}

/// Every metric, in the OpenMetrics text format.
#[utoipa::path(get, path = "/metrics", tag = "operation", responses(
    (status = 200, description = "the metrics", body = String, content_type = "application/openmetrics-text"),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn metrics<B: Backend>(
    State(app): State<App<B>>,
    _: Parameters<Nothing>,
) -> Answer {
    let text = app.read(app.backend.metrics()).await?;
    Ok(body(StatusCode::OK, OPEN_METRICS, text))
}

/// This description.
#[utoipa::path(get, path = "/openapi.json", tag = "operation", responses(
    (status = 200, description = "the OpenAPI document", body = String, content_type = "application/json"),
    (status = "default", description = "any problem", body = Problem, content_type = "application/problem+json"),
))]
pub(crate) async fn openapi(_: Parameters<Nothing>) -> Response {
    body(StatusCode::OK, JSON, openapi::document())
}

/// A block that was found.
enum Found {
    /// The genesis block, which nobody certified.
    Genesis(Block),
    /// Any other.
    Proved(std::sync::Arc<ProvedBlock>),
}

async fn find<B: Backend>(app: &App<B>, name: BlockName) -> Result<Found, Problem> {
    let not_found =
        || Problem::new(Code::BlockNotFound, format!("block {name} is not committed here"));
    let height = match name {
        BlockName::Height(height) => height,
        BlockName::Id(id) => app.read(app.backend.height_of(id)).await?.ok_or_else(not_found)?,
    };
    if height == Height::GENESIS {
        return Ok(Found::Genesis(app.backend.genesis().block()));
    }
    app.read(app.backend.block(height)).await?.map(Found::Proved).ok_or_else(not_found)
}

fn proved(found: Found) -> Result<std::sync::Arc<ProvedBlock>, Problem> {
    match found {
        Found::Proved(proved) => Ok(proved),
        Found::Genesis(_) => Err(Problem::new(
            Code::CertificateNotFound,
            "the genesis block has no certificate: it is where trust begins",
        )),
    }
}

fn address<B: Backend>(app: &App<B>, text: &str) -> Result<Address, Problem> {
    Address::from_text(app.backend.genesis().prefix(), text)
        .map_err(|error| Problem::new(Code::InvalidAddress, error.to_string()))
}
