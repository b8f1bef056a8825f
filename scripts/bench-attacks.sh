#!/usr/bin/env bash
# What is left of a network's throughput under each attack of a validator: one `logothete bench` each, on real
# processes, beside the same network without adversaries. Writes a table in Markdown to standard output.
#
# usage: scripts/bench-attacks.sh [RATE|max [SECONDS [ATTACK…]]]   defaults: 1000 transfers a second, 30 s, every attack
#
# An attack of a primary is made by node0, the first one; one of a backup by node1. An attack that needs a view change
# is made in a network of seven, whose first primary falls silent at height 20: by the next primary, or by a backup that
# asks for the next view.
set -euo pipefail
cd "$(dirname "$0")/.."

rate="${1:-1000}"
seconds="${2:-30}"
shift $(($# < 2 ? $# : 2))

cargo build --release --locked --quiet --bin logothete --bin logothete-adversary
bin="${CARGO_TARGET_DIR:-target}/release"

# One field of a JSON document: a number, a word, or true and false.
field() { sed -E "s/.*\"$1\":\"?([^,\"}]*).*/\1/"; }

if [ "$rate" = max ]; then load=(--max); else load=(--rate "$rate"); fi

measure() {
    "$bin/logothete" --json bench "${load[@]}" --seconds "$seconds" "$@"
}

# name, validators, the same without attack, arguments…
row() {
    local name="$1" calm="$2" result settled
    shift 2
    # A network that does not hold together is a result, too, and the worst.
    if ! result="$(measure "$@")"; then
        echo "| \`$name\` | FAILED |"
        return 1
    fi
    settled="$(field settled_per_second <<<"$result")"
    awk -v name="$name" -v settled="$settled" -v calm="$calm" \
        -v pause="$(field pause_ms_max <<<"$result")" -v p50="$(field p50 <<<"$result")" \
        -v p99="$(field p99 <<<"$result")" -v missing="$(field missing <<<"$result")" \
        -v convicted="$(grep -c '"convicted":true' <<<"$result")" \
        'BEGIN { printf "| `%s` | %s | %.2f | %.0f | %.1f | %.0f | %s | %s |\n", name, settled, settled / calm, pause, p50, p99, missing, convicted ? "yes" : "" }'
}

calm() { measure "$@" | field settled_per_second; }

echo "| attack | settled, transfers/s | to calm | longest pause, ms | p50, ms | p99, ms | missing | proved |"
echo "| --- | --- | --- | --- | --- | --- | --- | --- |"
calm4="$(calm -n 4)"
row "none, four validators" "$calm4" -n 4
calm7="$(calm -n 7 --adversary 0=silent-primary:from=20)"
row "silent-primary:from=20, seven validators" "$calm7" -n 7 --adversary 0=silent-primary:from=20

failed=0
while read -r name role; do
    if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
    case "$role" in
        primary) where=(-n 4 --adversary "0=$name") calm="$calm4" ;;
        backup | serving) where=(-n 4 --adversary "1=$name") calm="$calm4" ;;
        next-primary) where=(-n 7 --adversary 0=silent-primary:from=20 --adversary "1=$name") calm="$calm7" ;;
        asking) where=(-n 7 --adversary 0=silent-primary:from=20 --adversary "2=$name") calm="$calm7" ;;
        *) continue ;;
    esac
    row "$name" "$calm" "${where[@]}" || failed=1
done < <("$bin/logothete-adversary" --json list | sed 's/},{/\n/g' | sed -nE 's/.*"name":"([^"]*)".*"role":"([^"]*)".*/\1 \2/p')
exit "$failed"
