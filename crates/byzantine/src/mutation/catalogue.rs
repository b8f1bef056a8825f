//! The names of the changes.

macro_rules! catalogue {
    ($($name:ident, $text:literal;)*) => {
        /// One change of one field, by the field.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
        pub enum Mutation {
            $(#[doc = $text] $name,)*
        }

        impl Mutation {
            /// Every change.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Its name.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$name => $text,)*
                }
            }
        }
    };
}

catalogue! {
    Replay, "what was said before is said again";
    Withheld, "what was to be said is not said";
    Kind, "a vote is sent as one of the other phase";
    StatementPhase, "statement: phase";
    StatementView, "statement: view";
    StatementHeight, "statement: height";
    StatementBlock, "statement: block";
    VoteReplica, "vote: replica";
    VoteSignature, "vote: signature";
    HeaderChain, "header: chain";
    HeaderHeight, "header: height";
    HeaderParent, "header: parent";
    HeaderView, "header: view";
    HeaderProposer, "header: proposer";
    HeaderTimestamp, "header: timestamp_ms";
    HeaderBodyRoot, "header: body_root";
    HeaderTransactions, "header: transactions";
    HeaderStateRoot, "header: state_root";
    BodyEmptied, "body: no transactions";
    BodyDropped, "body: a transaction dropped";
    BodyDoubled, "body: a transaction twice";
    BodySwapped, "body: two transactions swapped";
    BodyForeign, "body: a transaction of another block";
    TransactionChain, "transaction: chain";
    TransactionSender, "transaction: sender";
    TransactionNonce, "transaction: nonce";
    TransactionValidUntil, "transaction: valid_until";
    TransactionRecipient, "transaction: recipient";
    TransactionAmount, "transaction: amount";
    TransactionMemo, "transaction: memo";
    TransactionSignature, "transaction: signature";
    CertificateEmptied, "certificate: no signatures";
    CertificateDropped, "certificate: a signature dropped";
    CertificateDoubled, "certificate: a signature twice";
    CertificateReordered, "certificate: the signatures in reverse";
    CertificateMember, "certificate: a signature under another member's name";
    CertificateSignature, "certificate: the bytes of a signature";
    CertificateMixed, "certificate: a signature out of another certificate";
    ViewChangeView, "view change: view";
    ViewChangeBare, "view change: no certificate";
    ViewChangeCertificate, "view change: another certificate";
    ViewChangeReplica, "view change: replica";
    ViewChangeSignature, "view change: signature";
    NewViewView, "new view: view";
    NewViewDropped, "new view: a view change dropped";
    NewViewDoubled, "new view: a view change twice";
    NewViewReordered, "new view: the view changes in reverse";
    NewViewMixed, "new view: a view change of another view";
    NewViewSignature, "new view: signature";
    StatusReplica, "status: replica";
    StatusView, "status: view";
    StatusEntered, "status: entered";
    StatusCommitted, "status: committed";
    StatusLacks, "status: lacks, none or something";
    StatusSignature, "status: signature";
    LacksViewChanges, "lacks: view_changes";
    LacksHeights, "lacks: heights, more or less or none";
    LacksBlock, "lacks: block";
    HeldProposal, "held: proposal";
    HeldPrepares, "held: prepares";
    HeldCommits, "held: commits";
    HandoverReplica, "handover: replica";
    HandoverSignature, "handover: signature";
    ProofDescendants, "proof: descendants";
}
