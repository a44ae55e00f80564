# Two commands do everything on a fresh machine with Rust: `make demo` shows the product, `make test` is the gate.

.PHONY: help demo test setup bench-peers bench-growth

help:
	@echo "make demo   set up, then show two live services being cut over behind the proxy"
	@echo "make test   set up, then run everything CI runs"
	@echo "make bench-peers  measure it beside nginx, HAProxy, Envoy and a bare Pingora; FULL=1 for all scenarios"
	@echo "make bench-growth  how its cost grows with routes, migrations and plugins, with the laws fitted"
	@echo "make setup  only install what the two need, or say what to install"
	@echo "One step of the gate: cargo xtask ci --only lint   (cargo xtask ci --list names them)"

demo:
	@scripts/setup.sh demo
	cargo run --locked -p cutover-server -- demo

test:
	@scripts/setup.sh test
	cargo run --locked -q -p xtask -- ci

setup:
	@scripts/setup.sh test

bench-peers:
	@scripts/setup.sh demo
	cargo build --release --locked -p cutover-server -p cutover-benches --bins
	target/release/peers target/release/cutover --install $(if $(FULL),--full)

bench-growth:
	@scripts/setup.sh demo
	cargo build --release --locked -p cutover-benches --bin growth
	target/release/growth
