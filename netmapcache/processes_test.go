//go:build !js

package netmapcache_test

import (
	"encoding/json"
	"io"
	"os"
	"os/exec"
	"testing"

	"github.com/netmapcache/netmapcache/internal/torture"
	"github.com/netmapcache/netmapcache/netmapcache"
)

// envWriter is set to a directory if the test binary should be a writer on it.
const envWriter = "NETMAPCACHE_TEST_WRITER"

// TestProcesses is TestLinearizable with a process for each writer.
func TestProcesses(t *testing.T) {
	path := t.TempDir()
	checkLinearizable(t, torture.Times(1, 10), func(t *testing.T) client { return startWriter(t, path) })
	checkNoOrphansAfterStore(t, netmapcache.FileStore(path))
}

// startWriter starts a process that makes calls on a Cache of the directory.
func startWriter(t *testing.T, path string) client {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestWriterProcess$")
	cmd.Env = append(os.Environ(), envWriter+"="+path)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close() // ends it
		if _, err := io.Copy(io.Discard, out); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Error(err)
		}
	})
	calls, replies := json.NewEncoder(in), json.NewDecoder(out)
	return func(k call) (r reply, err error) {
		if err = calls.Encode(k); err == nil {
			err = replies.Decode(&r)
		}
		return r, err
	}
}

// TestWriterProcess is the other end of startWriter.
func TestWriterProcess(t *testing.T) {
	path := os.Getenv(envWriter)
	if path == "" {
		t.Skip("runs as another process, for TestProcesses")
	}
	c := netmapcache.NewCache(netmapcache.FileStore(path))
	calls, replies := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var k call
		if err := calls.Decode(&k); err == io.EOF {
			return
		} else if err != nil {
			t.Fatal(err)
		}
		if err := replies.Encode(replyTo(t.Context(), c, k)); err != nil {
			t.Fatal(err)
		}
	}
}
