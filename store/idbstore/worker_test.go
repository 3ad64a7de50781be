//go:build js

package idbstore

import (
	"strings"
	"syscall/js"
	"testing"
)

// place tells the databases of tests in a worker from those in the page.
var place = func() string {
	if js.Global().Get("document").IsUndefined() {
		return "worker "
	}
	return ""
}()

// TestWorker runs this test binary once more, in a worker, and listens there to
// what it does.
func TestWorker(t *testing.T) {
	page := open(t, "worker TestSubscribe")
	changed := make(chan bool, 1)
	defer page.Subscribe(func() {
		select {
		case changed <- true:
		default:
		}
	})()

	output := mustRun(t, `
		const binary = performance.getEntriesByType('resource').find(entry => entry.name.endsWith('.wasm')).name;
		const script = `+"`"+`
			importScripts('${new URL('wasm_exec.js', binary)}');
			const lines = [];
			console.log = line => lines.push(line);
			const go = new Go();
			go.argv = ['test', '-test.run', '^Test(Store|Subscribe|ReadOn)$/^(Scripts|Race)$'];
			go.exit = code => postMessage(code + '\\n' + lines.join('\\n'));
			WebAssembly.instantiateStreaming(fetch('${binary}'), go.importObject).then(result => go.run(result.instance));
		`+"`"+`;
		const worker = new Worker(URL.createObjectURL(new Blob([script])));
		try {
			return await new Promise((resolve, reject) => {
				worker.onmessage = event => resolve(event.data);
				worker.onerror = reject;
			});
		} finally {
			worker.terminate();
		}`).String()
	if !strings.HasPrefix(output, "0\n") || !strings.Contains(output, "PASS") {
		t.Errorf("exit code and output of the worker: %s", output)
	}
	<-changed
}
