# What each command does is in `make help`.

.DEFAULT_GOAL := help
.PHONY: help run page page-watch screenshots fuzz torture engines test test-go test-upstream test-versions test-windows test-wasi wine test-browser test-e2e test-resume test-resume-page test-powercut vet format versions lint tidy api release-check generate bench bench-docs bench-web bench-module bench-client bench-tsconnect bench-resume wasm package tool client chromium iproute mkfs npm clean

# The page and the embedded tailnet, for make run.
ADDR  ?= 127.0.0.1:8080
PEERS ?= 300
CHURN ?= 2s

say = @printf '\n== %s\n' '$(1)'

## help: list the commands
help:
	@sed -n 's/^## /make /p' Makefile

## page-watch: build the page, and again whenever its code changes; serve it by make run beside
page-watch: page
	node web/app/watch.mjs

## run: start the embedded tailnet and serve the page (ADDR, PEERS, CHURN)
run: wasm client page
	$(call say,serving the page; stop with Ctrl-C)
	dist/tailnet -addr $(ADDR) -peers $(PEERS) -churn $(CHURN)

## test: everything, with real browsers; installs what is missing where it can, and says what it leaves out
test: format vet test-go test-upstream test-versions test-windows test-wasi test-browser test-e2e test-resume test-resume-page test-powercut
	$(call say,all tests passed)
	@[ "$$(id -u)" = 0 ] || echo 'Left out, since they need root: power cuts, full disks and directories of other users.'

# Searches in one goroutine, where nothing can race and the detector costs most.
alone := TestHostileFiles|TestExtremes

## test-go: Go tests, with the race detector for the library
test-go:
	$(call say,Go tests with the race detector)
	go test -race -timeout 25m -skip '$(alone)' ./...
	go test -run '$(alone)' ./netmapcache
	@if [ "$$(go env GOOS)" = linux ]; then set -x; cd bench && go test ./...; else echo 'bench is tested on Linux only'; fi
	go test -tags netmapcache_omit -run TestOmitted ./netmapcache
	cd cmd/netmapcache && go test ./...
	cd store/etcdstore && go test -timeout 20m ./...

## test-upstream: upstream's own tests, and those of Tailscale's backend, against this package
test-upstream:
	$(call say,the test file of upstream and the tests of its backend against this package)
	tools/upstreamtest
	tools/localbackendtest

## test-versions: the module with the newest tailscale.com, and with one that has fields that no release has
test-versions:
	$(call say,newer releases of tailscale.com and one of the future)
	tools/versionstest

## test-windows: the tests of files, sealed stores, the core and the command as Windows programs, by wine
test-windows: wine
	$(call say,Go tests as programs for Windows)
	@if [ "$$(uname)" = Linux ]; then tools/test-windows; else echo 'not run: for wine on Linux'; fi

## test-wasi: the tests of files as WASI programs, by Node.js
test-wasi:
	$(call say,Go tests as programs for WASI)
	tools/test-wasi -skip 'Process|Killed|Crashes|Faults' ./store/filestore

# What the tests below need is fetched before they are alone in a network.

## test-browser: Go tests of the core and the stores in Chromium
test-browser: chromium iproute
	$(call say,Go tests of the core and the stores in headless Chromium)
	cd tools && go tool -n wasmbrowsertest >/dev/null
	GOOS=js GOARCH=wasm go list -test -deps ./store/... ./netmapcache/... >/dev/null
	tools/loopback tools/browsertest ./store/... ./netmapcache/...

## test-e2e: the client, the JavaScript module, its npm package and the page, in the browsers that are installed
test-e2e: chromium iproute npm package tool page
	$(call say,Go tests of the client)
	cd client && go list -test -deps ./... >/dev/null && ../tools/loopback go test ./...
	$(call say,the JavaScript module, its npm package and the page in headless Chromium, Firefox and WebKitGTK)
	@# Not by tools/loopback: one of the browsers tries to leave the machine, which counts.
	@$(MAKE) --no-print-directory engines || echo 'What is missing is left out of the tests.'
	cd e2e && npm test

# The first time this compiles Tailscale's client twice, with its own cache and without.
## test-resume: a native node comes up while the control plane is down
test-resume:
	$(call say,a native node comes up without control; building it takes minutes the first time)
	cd client && TEST_RESUME=1 go test -v -count=1 -timeout 20m ./internal/resume
	$(call say,the same for one without a disk)
	cd client/examples/diskless && go test -v -count=1 -timeout 20m .

## test-resume-page: a browser that starts while the control plane is down
test-resume-page: chromium iproute npm wasm client page
	$(call say,a browser that starts while the control plane is down)
	cd e2e && ../tools/loopback node --test --test-timeout=900000 --test-reporter=spec resume.mjs

## test-powercut: power cuts on ext4, XFS and Btrfs; needs Linux and root
test-powercut: mkfs
	$(call say,power cuts on real file systems)
	@if [ "$$(go env GOOS)" = linux ]; then set -x; cd tools/powercut && go test -v -count=1 -timeout 60m .; else echo 'power cuts are tried on Linux only'; fi

## torture: the searches for rare failures, at length, and Firefox and WebKitGTK; takes more than an hour
torture: chromium engines npm wasm client
	$(call say,crashes and kills and faults and damage and many writers)
	TORTURE=1 go test -timeout 60m ./...
	cd store/etcdstore && TORTURE=1 go test -timeout 90m ./...
	@TORTURE=1 $(MAKE) --no-print-directory test-powercut
	$(call say,the stores in Firefox and WebKitGTK)
	TORTURE=1 BROWSER=firefox tools/browsertest -timeout 60m ./store/idbstore
	TORTURE=1 BROWSER=webkit tools/browsertest -timeout 60m ./store/idbstore
	$(call say,accidents of browsers)
	cd e2e && TORTURE=1 node --test --test-concurrency=1 --test-timeout=1800000 --test-reporter=spec kill.test.mjs tabs.test.mjs accidents.test.mjs client-transfers.test.mjs client-engines.test.mjs

## fuzz: each fuzz target of the core and the codec for a while (FOR=60s), with a table of executions
fuzz:
	tools/fuzz $(FOR)

# The folders of all modules, with the systems that each is checked for. The library is compiled for more.
HOST    := $(shell go env GOOS)
CHECKED  = .:linux .:darwin .:windows .:js bench:linux tools/powercut:linux \
	$(addsuffix :$(HOST),store/etcdstore cmd/netmapcache client client/examples/diskless tools)
# Where files can be kept besides; it has to compile there.
SYSTEMS  = wasip1/wasm plan9/amd64 aix/ppc64 freebsd/amd64 netbsd/amd64 openbsd/amd64 dragonfly/amd64 solaris/amd64 illumos/amd64 android/arm64 ios/arm64

# check runs a command on the packages of modules, for each of their systems, and on the program that runs in browsers.
check = @set -e; for module in $(2); do \
	folder=$${module%:*} system=$${module\#*:}; arch=; [ $$system != js ] || arch=wasm; \
	echo "$$folder: GOOS=$$system $(1) ./..."; \
	(cd $$folder && GOOS=$$system GOARCH=$$arch $(1) ./...); done; \
	cd client && tags=$$(go run ./cmd/browsertags) && echo 'client: GOOS=js $(1) ./cmd/client' && \
	GOOS=js GOARCH=wasm $(1) -tags "$$tags" ./cmd/client

## vet: go vet for every module and target
vet:
	$(call say,vet for linux darwin windows js and systems that have files)
	$(call check,go vet,$(CHECKED))
	@set -e; for system in $(SYSTEMS); do \
		echo "GOOS=$${system%/*} GOARCH=$${system#*/} go build ./store/filestore"; \
		GOOS=$${system%/*} GOARCH=$${system#*/} go build ./store/filestore; done

## format: whether gofmt would change anything
format:
	$(call say,formatting)
	@unformatted=$$(gofmt -l $$(git ls-files '*.go')); \
	if [ -n "$$unformatted" ]; then echo "not formatted; run gofmt -w on:" $$unformatted; exit 1; fi

## lint: formatting, versions, the API, vet, staticcheck, ESLint, the types of the page and known vulnerabilities, for every module and target, npm packages too
lint: format versions e2e/node_modules/.package-lock.json web/app/node_modules/.package-lock.json
	$(call say,the exported API)
	@tools/api dist/api && diff -ru api dist/api || { echo 'the exported API has changed; make api records it'; exit 1; }
	$(call say,JavaScript)
	node e2e/node_modules/eslint/bin/eslint.js --config e2e/eslint.config.mjs web e2e wasm tools examples
	node e2e/node_modules/typescript/bin/tsc --project web/app
	@$(MAKE) --no-print-directory vet
	$(call say,staticcheck)
	@# It takes minutes for each system, and finds little in what the others have of their own.
	$(call check,$(shell cd tools && go tool -n staticcheck),$(filter-out .:darwin .:windows,$(CHECKED)))
	$(call say,known vulnerabilities)
	tools/vulncheck

## versions: whether all that names the version of the next release names the same
versions:
	$(call say,versions of the next release)
	cd tools && go run ./release versions

## tidy: go mod tidy in all modules, before their siblings are published as well
tidy:
	tools/tidy

## api: record in api/ the exported API of the published packages
api:
	tools/api api

## release-check: install what a release would publish, as strangers would, in empty folders; CONTRIBUTING.md says more
release-check:
	$(call say,what a release would be; takes some ten minutes)
	cd tools && go run ./release check

## generate: make the codec and docs/format.cddl anew
generate:
	go generate ./...

## bench: this package beside upstream's and the baseline; ARGS=-h for what can be chosen
bench:
	$(call say,building the measuring program; measuring takes some ten minutes)
	@mkdir -p dist
	cd bench && go build -o ../dist/bench .
	dist/bench $(ARGS)

## bench-docs: likewise, and write the results into docs/performance.md
bench-docs:
	@$(MAKE) --no-print-directory bench ARGS='-docs docs $(ARGS)'

## bench-web: the same in Chromium and Firefox, beside plain JavaScript, and the page; write it into docs/performance.md
bench-web: chromium engines npm wasm client page
	$(call say,benchmarks in browsers; takes some minutes)
	e2e/bench/build.sh
	cd e2e && node bench/run.mjs chromium firefox

# The version of the JavaScript module before it read without WebAssembly.
BEFORE ?= 07538ab

## bench-module: the JavaScript module beside an earlier build of it, in Chromium (BEFORE, a commit)
bench-module: chromium npm wasm
	$(call say,the JavaScript module now and before; takes some minutes)
	e2e/bench/before.sh $(BEFORE)
	cd e2e && node bench/module.mjs ../dist/before-$(BEFORE)

## bench-client: how fast bytes pass between a peer and the browser node, and at best; ARGS may be the folder of an earlier dist/client
bench-client: chromium npm wasm client
	$(call say,bytes through the relay; takes a minute)
	GOOS=js GOARCH=wasm go build -trimpath -ldflags='-s -w' -o dist/bench-web/limit.wasm ./e2e/bench/limit
	cp dist/wasm_exec.mjs dist/bench-web/
	cd e2e && node bench/throughput.mjs $(ARGS)

# wasm-opt takes minutes, so this is built once for each version of tailscale.com.
dist/tsconnect/main.wasm: client/go.mod e2e/bench/tsconnect/build.sh | e2e/bench/tsconnect/node_modules/.package-lock.json
	$(call say,Tailscale's own browser client; takes some ten minutes)
	e2e/bench/tsconnect/build.sh

## bench-tsconnect: the browser node beside Tailscale's own, tsconnect: times, rates, memory and bytes, as a table
bench-tsconnect: chromium npm client dist/tsconnect/main.wasm
	$(call say,the browser node and tsconnect in turn; takes some minutes)
	cd e2e && node bench/tsconnect.mjs

## bench-resume: how soon a node that starts has the network map, and a peer's answer; write it into docs/performance.md
bench-resume: chromium iproute npm wasm client page
	$(call say,from start to the answer of a peer; takes some minutes)
	cd e2e && ../tools/loopback node bench/resume.mjs

## wasm: build the JavaScript module into dist/, and check its size
wasm: web/node_modules/.package-lock.json
	$(call say,the JavaScript module)
	wasm/build.sh

## package: build the npm packages dist/netmapcache-<version>.tgz and dist/netmapcache-client-<version>.tgz
package: wasm client
	$(call say,the npm packages)
	wasm/package.sh

## tool: build the command netmapcache into dist/
tool:
	$(call say,the command netmapcache)
	cd cmd/netmapcache && go build -trimpath -o ../../dist/ . && node ../../tools/notices.mjs ../../dist/netmapcache.THIRD_PARTY_NOTICES.txt .

## client: build the browser client, its package and the embedded tailnet into dist/
client: web/node_modules/.package-lock.json
	$(call say,the client for the page and the embedded tailnet; the first build takes minutes)
	client/build.sh
	node web/client/build.mjs
	@ls -l dist/client.wasm dist/tailnet

## page: build the page into dist/
page: web/node_modules/.package-lock.json web/app/node_modules/.package-lock.json
	$(call say,the page)
	cd web/app && npm run --silent build

chromium engines:
	@tools/need $@

# What can be left out. The tests that need it say so then.
iproute mkfs wine:
	@tools/need $@ || echo 'What needs that is left out.'

## npm: install the npm packages that tests need
npm: e2e/node_modules/.package-lock.json e2e/package/node_modules/.package-lock.json
%/node_modules/.package-lock.json: %/package-lock.json
	$(call say,installing the npm packages of $*)
	@command -v npm >/dev/null || { echo 'Node.js is missing: install Node.js 20 or later with npm (https://nodejs.org)'; exit 1; }
	cd $* && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

## screenshots: pictures of the page in every state, into dist/screenshots, and those of the README
screenshots: chromium engines npm wasm client page
	$(call say,pictures of the page)
	cd e2e && node screenshots.mjs --docs

## clean: remove what was built, and the npm packages
clean:
	rm -rf dist web/node_modules e2e/node_modules e2e/package/node_modules e2e/bench/tsconnect/node_modules web/app/node_modules
