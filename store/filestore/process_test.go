//go:build !js

package filestore

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/store"
)

// The test binary runs itself as another process, with these set.
const (
	envRole = "FILESTORE_TEST_ROLE"
	envPath = "FILESTORE_TEST_PATH"
)

func TestMain(m *testing.M) {
	path := os.Getenv(envPath)
	var err error
	switch role := os.Getenv(envRole); role {
	case "":
		os.Exit(m.Run())
	case "count":
		err = count(FileStore(path), 20)
	case "stop":
		err = stop(path)
	default:
		err = fmt.Errorf("no role %q", role)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

// process returns a command that plays a role on a directory.
func process(t *testing.T, role, path string) *exec.Cmd {
	cmd := exec.CommandContext(t.Context(), os.Args[0])
	cmd.Env = append(os.Environ(), envRole+"="+role, envPath+"="+path)
	cmd.Stderr = os.Stderr
	return cmd
}

// count adds 1 to the number under "n", n times, by conditional commits.
func count(s FileStore, n int) error {
	ctx := context.Background()
	for n > 0 {
		old, err := s.Load(ctx, "n")
		if err != nil {
			return err
		}
		number, err := strconv.Atoi(string(old))
		if err != nil {
			return err
		}
		err = s.Commit(ctx, store.Change{
			Guard: &store.Guard{Key: "n", Value: old},
			Put:   []store.Entry{{Key: "n", Value: []byte(strconv.Itoa(number + 1))}},
		})
		if err == nil {
			n--
		} else if !errors.Is(err, store.ErrConflict) {
			return err
		}
	}
	return nil
}

// TestProcesses: conditional commits of several processes lose nothing.
func TestProcesses(t *testing.T) {
	path := t.TempDir()
	s := FileStore(path)
	if err := s.Store(t.Context(), "n", []byte("0")); err != nil {
		t.Fatal(err)
	}
	var processes []*exec.Cmd
	for range 3 {
		p := process(t, "count", path)
		if err := p.Start(); err != nil {
			t.Fatal(err)
		}
		processes = append(processes, p)
	}
	if err := count(s, 20); err != nil {
		t.Error(err)
	}
	for _, p := range processes {
		if err := p.Wait(); err != nil {
			t.Error(err)
		}
	}
	if got, err := s.Load(t.Context(), "n"); err != nil || string(got) != "80" {
		t.Errorf("n = %q, %v, want 80", got, err)
	}
}

// stoppingFolder says so, and stops for good, when a change is about to name
// its files.
type stoppingFolder struct{ folder }

func (stoppingFolder) rename(name, newName string) error {
	fmt.Println("stopped")
	select {}
}

// stop stops for good in a Commit.
func stop(path string) error {
	d, err := FileStore(path).open(context.Background())
	if err != nil {
		return err
	}
	d.fs = stoppingFolder{d.fs}
	return d.Commit(context.Background(), columns(4, 1000))
}

// TestKilledWriter: others wait for a writer while it lives. Once it is killed they
// go on, and remove its temporary files.
func TestKilledWriter(t *testing.T) {
	path := filledDirectory(t)
	s := FileStore(path)
	if err := s.Commit(t.Context(), store.Change{}); err != nil { // there is nothing to remove yet
		t.Fatal(err)
	}
	names := namesIn(t, path)
	p := process(t, "stop", path)
	out, err := p.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	if line, err := bufio.NewReader(out).ReadString('\n'); line != "stopped\n" {
		t.Fatalf("the other process said %q, %v", line, err)
	}

	isTemporary := func(name string) bool { return strings.HasPrefix(name, temporaryPrefix) }
	if !slices.ContainsFunc(namesIn(t, path), isTemporary) {
		t.Error("the other process has no temporary files: nothing is tested")
	}
	waiting, cancel := context.WithTimeout(t.Context(), 5*lockRetry)
	defer cancel()
	for call, err := range map[string]error{
		"Commit": s.Commit(waiting, theChange),
		"Store":  s.Store(waiting, "a", nil),
		"Remove": s.Remove(waiting, "kept"),
	} {
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s beside another process: %v, want context.DeadlineExceeded", call, err)
		}
	}
	if got, err := s.Load(t.Context(), "self"); err != nil || string(got) != "root 1" {
		t.Errorf("Load beside another process = %q, %v", got, err)
	}

	if err := p.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	p.Wait()
	if err := s.Store(t.Context(), "kept", []byte("k1")); err != nil {
		t.Errorf("Store after the other was killed: %v", err)
	}
	keysOf(t, s) // sees the temporary files
	if err := s.Commit(t.Context(), store.Change{}); err != nil {
		t.Errorf("Commit after the other was killed: %v", err)
	}
	if got := namesIn(t, path); !slices.Equal(got, names) {
		t.Errorf("files = %q, want %q", got, names)
	}
}
