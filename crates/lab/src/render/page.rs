//! `report.html`.

use super::markup::{cut, escaped, ms};
use super::shell::{figures, list, page, section};
use super::{
    Dossier, FALSE_LISTED, Facts, PROOFS_SHOWN, Question, council, sequence, shell, timeline, words,
};

/// The page.
pub(super) fn html(dossier: &Dossier, facts: &Facts<'_>) -> String {
    let title = format!("{}, seed {}", dossier.title, dossier.report.seed);
    let (line, broken) = words::verdict(&dossier.report.verdict);
    let mark = (&dossier.report.verdict).into();
    let (picture, note) = sequence::draw(dossier, facts);
    let sections = [
        shell::verdict(mark, &line, &broken, &dossier.command),
        dossier.question.as_ref().map(question).unwrap_or_default(),
        dossier.agreement.as_ref().map(|it| council::section(it).html()).unwrap_or_default(),
        section("What was run", &setting(dossier, facts)),
        section(
            "Views and heights",
            &format!("<div class=\"wide\">{}</div>", timeline::draw(dossier, facts)),
        ),
        section(
            "Messages",
            &format!(
                "{}<p>{}</p>\n<div class=\"wide\">{picture}</div>",
                sequence::legend(),
                escaped(&note)
            ),
        ),
        section("False messages", &lies(facts)),
        section("Who was proved to have lied", &culprits(dossier, facts)),
        section("What happened", &moments(facts)),
        section("Figures", &figures(&words::figures(dossier, facts))),
    ];
    page(&title, &sections.concat())
}

fn question(question: &Question) -> String {
    let rows = question.expectations.iter().map(|it| {
        let (class, sign) = if it.met {
            ("met", "\u{2713} as expected")
        } else {
            ("unmet", "\u{2717} not as expected")
        };
        format!(
            "<tr class=\"{class}\"><td>{}</td><td>{}</td><td>{sign}</td></tr>\n",
            escaped(&it.expected),
            escaped(&it.seen)
        )
    });
    let rows: String = rows.collect();
    let table = if rows.is_empty() {
        String::new()
    } else {
        format!(
            "<div class=\"wide\"><table class=\"expected\">\n<thead><tr><th>expected</th><th>seen</th><th></th></tr></thead>\n\
             <tbody>\n{rows}</tbody>\n</table></div>"
        )
    };
    let asked = format!(
        "<p class=\"question\">{}</p>\n<p>{}</p>\n{table}",
        escaped(&question.question),
        escaped(&question.answer)
    );
    section("The question", &asked)
}

fn setting(dossier: &Dossier, facts: &Facts<'_>) -> String {
    format!(
        "{}<h3>What goes wrong</h3>\n{}",
        list(&words::network(dossier, facts)),
        list(&words::troubles(dossier))
    )
}

fn lies(facts: &Facts<'_>) -> String {
    let all: Vec<_> = facts.arrows.iter().filter(|arrow| arrow.attack.is_some()).collect();
    if all.is_empty() {
        return "<p>None: whatever was sent is what an honest validator sends.</p>".to_owned();
    }
    let rows = all.iter().take(FALSE_LISTED).map(|arrow| {
        format!(
            "<tr><td>#{}</td><td>{}</td><td>{} \u{2192} {}</td><td>{}</td><td>{}</td><td>{}</td></tr>\n",
            arrow.number,
            ms(arrow.sent_us),
            arrow.from,
            arrow.to,
            escaped(&arrow.said.to_string()),
            escaped(arrow.attack.unwrap_or_default()),
            escaped(&arrow.fate())
        )
    });
    let rows: String = rows.collect();
    let more = all.len().saturating_sub(FALSE_LISTED);
    let more = if more > 0 { format!("<p>{more} more are not listed.</p>") } else { String::new() };
    format!(
        "<details><summary>{} messages that an attack made or changed</summary>\n<div class=\"wide\"><table>\n\
         <thead><tr><th>message</th><th>sent, ms</th><th>from, to</th><th>it says</th><th>attack</th>\
         <th>what became of it</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table></div>\n{more}</details>",
        all.len()
    )
}

fn culprits(dossier: &Dossier, facts: &Facts<'_>) -> String {
    let culprits = words::culprits(facts);
    if culprits.is_empty() {
        let liars = if dossier.traitors.is_empty() {
            "Nobody, and nobody lied."
        } else {
            "Nobody in this run: no validator came to hold two statements under one key that exclude each other."
        };
        return format!("<p>{liars}</p>");
    }
    let mut html = String::new();
    for (culprit, proofs) in culprits {
        html += &format!(
            "<h3>Replica {culprit}</h3>\n<p>{}</p>\n",
            escaped(&words::conviction(culprit, facts))
        );
        for proof in proofs.iter().take(PROOFS_SHOWN) {
            let found = facts.proofs.get(*proof).into_iter().flatten().map(u16::to_string);
            let found: Vec<String> = found.collect();
            html += &format!(
                "<div class=\"proof\"><div class=\"both\"><p><b>It signed:</b> {}.</p><p><b>It signed as well:</b> {}.</p>\
                 </div><p>{} Held by replicas {}.</p></div>\n",
                escaped(&proof.first),
                escaped(&proof.second),
                escaped(&proof.wrong),
                found.join(", ")
            );
        }
        let more = proofs.len().saturating_sub(PROOFS_SHOWN);
        if more > 0 {
            html += &format!("<p>{more} more proofs are in report.json.</p>\n");
        }
    }
    html
}

fn moments(facts: &Facts<'_>) -> String {
    let (shown, more) = words::listed(facts);
    let rows = shown.iter().map(|(at_us, text)| {
        format!("<tr><td>{}</td><td>{}</td></tr>\n", ms(*at_us), escaped(&cut(text, 400)))
    });
    let rows: String = rows.collect();
    let more = if more > 0 {
        format!("<p>{more} later moments are in trace.jsonl.</p>")
    } else {
        String::new()
    };
    format!(
        "<p>Beside messages and commits, each thing once. Walk through all of it with \
         <code>logothete-lab step</code> and this folder.</p>\n\
         <table class=\"moments\">\n<thead><tr><th>ms</th><th>what</th></tr></thead>\n<tbody>\n{rows}</tbody>\n</table>\n{more}"
    )
}
