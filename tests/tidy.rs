//! The house as `docs/ARCHITECTURE.md` describes it: what clippy cannot hold.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test ends at the first thing that is not as it should be"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Which crates a crate may use. Arrows go down only, so there are no circles.
const ARROWS: [(&str, &[&str]); 15] = [
    ("crypto", &[]),
    ("types", &["crypto"]),
    ("ledger", &["crypto", "types"]),
    ("pbft", &["crypto", "types"]),
    ("network", &["crypto", "types"]),
    ("storage", &["crypto", "types", "pbft"]),
    ("api", &["crypto", "types"]),
    ("node", &["crypto", "types", "ledger", "pbft", "network", "storage", "api"]),
    ("scenario", &["types"]),
    ("byzantine", &["crypto", "types", "ledger", "pbft"]),
    ("lab", &["crypto", "types", "ledger", "pbft", "byzantine", "scenario"]),
    ("program", &["node"]),
    (
        "logothete",
        &[
            "crypto", "types", "ledger", "pbft", "network", "storage", "api", "node", "program",
            "scenario",
        ],
    ),
    (
        "adversary",
        &["crypto", "types", "ledger", "pbft", "network", "api", "byzantine", "node", "program"],
    ),
    ("wallet", &["crypto", "types", "api"]),
];

/// The same code runs in a validator, in a simulation and in a test.
const PURE: [&str; 7] = ["crypto", "types", "ledger", "pbft", "byzantine", "scenario", "lab"];

/// Programs that stand beside a pure library and bring it threads, files and a terminal.
const PROGRAMS: &str = "/src/bin/";

/// What has no place below the pure wing.
const SHELL_LIBRARIES: [&str; 7] = ["tokio", "libp2p", "sled", "axum", "ureq", "rayon", "tracing"];

/// Libraries that one place alone names, so that replacing them stays a small change. What floods a
/// network says what no honest side of libp2p does, so it has its own.
const NAMED_ONCE: [(&str, &str, &[&str]); 3] = [
    ("bincode", "bincode::", &["crates/crypto/src/encoding.rs", "crates/crypto/src/encoding/"]),
    ("sled", "sled::", &["crates/storage/"]),
    ("libp2p", "libp2p::", &["crates/network/", "crates/adversary/src/flood.rs"]),
];

/// A file that is longer hides its structure.
const LINES_MAX: usize = 600;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn manifest(folder: &Path) -> toml::Table {
    fs::read_to_string(folder.join("Cargo.toml")).unwrap().parse().unwrap()
}

/// Names of the normal dependencies of a crate.
fn dependencies(name: &str) -> BTreeSet<String> {
    let manifest = manifest(&root().join("crates").join(name));
    let tables = ["dependencies", "build-dependencies"];
    tables
        .iter()
        .filter_map(|table| manifest.get(*table)?.as_table())
        .flat_map(|table| table.keys().cloned())
        .collect()
}

fn crates() -> BTreeSet<String> {
    fs::read_dir(root().join("crates"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect()
}

/// Every file below the root with this ending, build output left out.
fn files(ending: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![root()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_str().unwrap().to_owned();
            if path.is_dir() && !["target", ".git", "testnet"].contains(&name.as_str()) {
                folders.push(path);
            } else if name.ends_with(ending) {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "no file ends with {ending}");
    found.sort();
    found
}

fn relative(path: &Path) -> String {
    path.strip_prefix(root()).unwrap().to_str().unwrap().to_owned()
}

/// A source file's lines without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

#[test]
fn every_crate_has_its_place_and_every_arrow_goes_down() {
    let table: BTreeMap<_, _> = ARROWS.into_iter().collect();
    let names = crates();
    assert_eq!(names.iter().map(String::as_str).collect::<Vec<_>>(), {
        let mut known: Vec<_> = table.keys().copied().collect();
        known.sort_unstable();
        known
    });
    let mut wrong = Vec::new();
    for name in &names {
        for dependency in dependencies(name).intersection(&names) {
            if !table[name.as_str()].contains(&dependency.as_str()) {
                wrong.push(format!("{name} -> {dependency}"));
            }
        }
    }
    assert!(wrong.is_empty(), "arrows that the house does not have: {wrong:?}");
}

/// Whoever runs an honest validator has no lie within reach.
#[test]
fn only_the_lab_and_the_adversary_reach_an_attack() {
    let names = crates();
    for name in &names {
        let mut reached = BTreeSet::from([name.clone()]);
        let mut next = vec![name.clone()];
        while let Some(at) = next.pop() {
            let below = dependencies(&at);
            next.extend(
                below.intersection(&names).filter(|one| reached.insert((*one).clone())).cloned(),
            );
        }
        let may = ["byzantine", "lab", "adversary"].contains(&name.as_str());
        assert_eq!(reached.contains("byzantine"), may, "{name} reaches {reached:?}");
    }
}

#[test]
fn folder_package_and_import_path_are_the_same_word() {
    for name in crates() {
        let manifest = manifest(&root().join("crates").join(&name));
        assert_eq!(manifest["package"]["name"].as_str(), Some(name.as_str()));
    }
}

#[test]
fn nothing_of_the_shell_stands_below_the_pure_wing() {
    for name in PURE {
        let output = Command::new(env!("CARGO"))
            .args(["tree", "--offline", "--locked", "-e", "normal", "--prefix", "none", "-p", name])
            .current_dir(root())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let tree = String::from_utf8(output.stdout).unwrap();
        let below: BTreeSet<_> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
        assert!(below.contains(name), "cargo tree did not list {name} itself");
        for library in SHELL_LIBRARIES {
            assert!(!below.contains(library), "{library} stands below {name}");
        }
    }
}

#[test]
fn the_pure_wing_links_its_own_lints() {
    for name in PURE {
        let link = root().join("crates").join(name).join("clippy.toml");
        let text = fs::read_to_string(&link).unwrap_or_default();
        assert!(text.contains("disallowed-types"), "{name} lacks the lints of the pure wing");
    }
}

/// Whether a module, or one that it stands in, is declared for tests alone.
fn test_only(path: &Path) -> bool {
    let folder = path.parent().unwrap();
    let name = path.file_stem().unwrap().to_str().unwrap();
    if name == "lib" {
        return false;
    }
    // `src/a/b.rs` is declared in `src/a.rs`, `src/a.rs` in `src/lib.rs`.
    let parent = folder.with_extension("rs");
    let parent = if parent.exists() { parent } else { folder.join("lib.rs") };
    let text = fs::read_to_string(&parent).unwrap();
    let declared = ["mod", "pub mod", "pub(crate) mod"]
        .iter()
        .any(|word| text.contains(&format!("#[cfg(test)]\n{word} {name};")));
    declared || test_only(&parent)
}

#[test]
fn the_pure_wing_has_no_thread_file_or_socket() {
    let words = [
        "std::thread",
        "std::fs",
        "std::net",
        "std::env",
        "std::process",
        "async fn",
        "clap::",
        "indicatif::",
    ];
    for path in files(".rs") {
        let name = relative(&path);
        let pure = PURE.iter().any(|pure| name.starts_with(&format!("crates/{pure}/src/")));
        if !pure || name.contains(PROGRAMS) || test_only(&path) {
            continue;
        }
        let code = code(&path);
        for word in words {
            assert!(!code.contains(word), "{name} names {word}");
        }
    }
}

/// What runs in the lab is what runs in a validator.
#[test]
fn the_lab_runs_the_production_core_and_has_none_of_its_own() {
    let mut used = BTreeSet::new();
    for path in files(".rs") {
        let name = relative(&path);
        let library = name.starts_with("crates/lab/src/") && !name.contains(PROGRAMS);
        if !library || test_only(&path) {
            continue;
        }
        let code = code(&path);
        for word in ["impl Protocol for", "impl Application for"] {
            // The model check copies a replica for every word that may come next, millions of times. What it
            // asks is about votes and views, so the blocks that it puts before the core are empty of money; the
            // ledger is in every other run of the lab.
            let smallest = name == "crates/lab/src/explore/application.rs" && word.contains("Appl");
            assert!(smallest || !code.contains(word), "{name} has an {word}");
        }
        let production = ["Replica::recover(", "Replay::begin(", "append_frame(", "journal::read("];
        used.extend(production.into_iter().filter(|word| code.contains(word)));
    }
    assert_eq!(used.len(), 4, "the lab uses only {used:?}");
}

/// A checker that counts with what it checks finds nothing.
#[test]
fn the_checker_of_the_lab_counts_for_itself() {
    let words = [
        "quorum().",
        "Quorum",
        "from_votes",
        "Unverified",
        "Authenticated",
        "signing_digest",
        ".follows(",
        "pbft::journal",
        "Proof::check",
        ".claims(",
        ".claim(",
    ];
    for path in files(".rs") {
        let name = relative(&path);
        let checks = name == "crates/lab/src/check.rs" || name.starts_with("crates/lab/src/check/");
        if !checks || test_only(&path) {
            continue;
        }
        for word in words {
            assert!(!code(&path).contains(word), "{name} names {word}");
        }
    }
}

/// Rules of the protocol can be broken on purpose: never in a program that is released.
#[test]
fn only_the_core_and_its_lab_know_of_mutants() {
    for name in crates() {
        let text =
            fs::read_to_string(root().join("crates").join(&name).join("Cargo.toml")).unwrap();
        assert!(
            ["types", "pbft", "lab"].contains(&name.as_str()) || !text.contains("mutants"),
            "{name} turns on what breaks the protocol"
        );
        assert!(!text.contains("default = ["), "{name} has features that nobody asked for");
    }
}

/// A quorum that is not safe can be shown in the lab, and asked for nowhere else.
#[test]
fn only_the_lab_can_take_a_naive_majority_for_a_quorum() {
    let makers = [
        "crates/types/src/quorum.rs",
        "crates/types/src/quorum/tests.rs",
        "crates/types/src/validators.rs",
        "crates/types/src/genesis.rs",
        "tests/tidy.rs",
    ];
    let mut named = BTreeSet::new();
    for file in files(".rs") {
        let name = relative(&file);
        if code(&file).contains("naive_majority") {
            named.insert(name.clone());
            let allowed = makers.contains(&name.as_str()) || name.starts_with("crates/lab/");
            assert!(allowed, "{name} names a quorum that is not safe");
        }
    }
    assert!(named.contains("crates/lab/src/world.rs"), "the lab names it: {named:?}");
}

#[test]
fn each_replaceable_library_is_named_in_one_place() {
    for (library, path, places) in NAMED_ONCE {
        for file in files(".rs") {
            let name = relative(&file);
            let allowed = places.iter().any(|place| name.starts_with(place));
            if !allowed && name != "tests/tidy.rs" {
                assert!(!code(&file).contains(path), "{name} names {library}");
            }
        }
        let users: BTreeSet<_> =
            crates().into_iter().filter(|name| dependencies(name).contains(library)).collect();
        let homes = places.iter().filter_map(|place| place.split('/').nth(1));
        assert_eq!(
            users,
            homes.map(str::to_owned).collect(),
            "{library} is a dependency of others"
        );
    }
}

#[test]
fn no_file_is_too_long() {
    let long: Vec<_> = files(".rs")
        .into_iter()
        .map(|path| (fs::read_to_string(&path).unwrap().lines().count(), relative(&path)))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .collect();
    assert!(long.is_empty(), "over {LINES_MAX} lines: {long:?}");
}

#[test]
fn every_crate_takes_its_lints_and_versions_from_the_workspace() {
    for name in crates() {
        let manifest = manifest(&root().join("crates").join(&name));
        assert_eq!(manifest["lints"]["workspace"].as_bool(), Some(true), "{name}");
        assert_eq!(manifest["package"]["publish"]["workspace"].as_bool(), Some(true), "{name}");
        for table in ["dependencies", "dev-dependencies"] {
            for (dependency, how) in
                manifest.get(table).and_then(|t| t.as_table()).into_iter().flatten()
            {
                let workspace = how.get("workspace").and_then(toml::Value::as_bool);
                assert_eq!(workspace, Some(true), "{name} pins {dependency} itself");
            }
        }
    }
}

#[test]
fn every_dependency_has_an_allowed_licence_and_comes_from_the_registry() {
    let deny: toml::Table = fs::read_to_string(root().join("deny.toml")).unwrap().parse().unwrap();
    let allowed: BTreeSet<_> = deny["licenses"]["allow"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|licence| licence.as_str())
        .collect();
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 100);
    for package in packages {
        let name = &package["name"];
        let licence = package["license"].as_str().unwrap_or("none");
        assert!(satisfied(licence, &allowed), "{name} has the licence {licence}");
        let source = package["source"].as_str().unwrap_or("registry+here");
        assert!(source.starts_with("registry+"), "{name} comes from {source}");
    }
}

/// Whether a licence expression can be met: of `OR` one side, of `AND` both.
fn satisfied(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let expression = expression.replace(" / ", " OR ").replace('/', " OR ");
    let mut depth = 0_i32;
    let split = |separator: &str, depth: &mut i32| -> Option<(String, String)> {
        for (at, character) in expression.char_indices() {
            match character {
                '(' => *depth += 1,
                ')' => *depth -= 1,
                _ if *depth == 0 && expression[at..].starts_with(separator) => {
                    let rest = &expression[at + separator.len()..];
                    return Some((expression[..at].to_owned(), rest.to_owned()));
                }
                _ => {}
            }
        }
        None
    };
    // `AND` binds closer than `OR`.
    if let Some((left, right)) = split(" OR ", &mut depth) {
        return satisfied(&left, allowed) || satisfied(&right, allowed);
    }
    if let Some((left, right)) = split(" AND ", &mut depth) {
        return satisfied(&left, allowed) && satisfied(&right, allowed);
    }
    let inner = expression.trim();
    match inner.strip_prefix('(').and_then(|inner| inner.strip_suffix(')')) {
        Some(inner) => satisfied(inner, allowed),
        None => allowed.contains(inner),
    }
}

#[test]
fn licence_expressions_are_read_as_written() {
    let allowed = BTreeSet::from(["MIT", "ISC"]);
    for (expression, expected) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("GPL-3.0 OR MIT", true),
        ("MIT/GPL-3.0", true),
        ("MIT AND GPL-3.0", false),
        ("(MIT OR GPL-3.0) AND ISC", true),
        ("(MIT OR GPL-3.0) AND GPL-2.0", false),
        ("GPL-3.0 OR MIT AND ISC", true),
        ("none", false),
    ] {
        assert_eq!(satisfied(expression, &allowed), expected, "{expression}");
    }
}
