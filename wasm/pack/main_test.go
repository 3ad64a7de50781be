package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
)

// program fills the heap from deep stacks, collects garbage, and panics.
const program = `package main

import (
	"fmt"
	"runtime"
)

type tree struct{ left, right *tree }

func grow(depth int) *tree {
	if depth == 0 {
		runtime.GC()
		return new(tree)
	}
	t := &tree{left: grow(depth - 1)}
	t.right = new(tree)
	return t
}

func (t *tree) count() int {
	if t == nil {
		return 0
	}
	return 1 + t.left.count() + t.right.count()
}

func main() {
	results := make(chan int)
	for i := range 20 {
		go func() { results <- grow(50 * i).count() }()
	}
	sum := 0
	for range 20 {
		sum += <-results
	}
	fmt.Println("nodes:", sum)
	func() {
		defer func() { fmt.Println("recovered:", recover()) }()
		fail("first")
	}()
	fail("second")
}

//go:noinline
func fail(why string) { panic(why) }
`

func TestPack(t *testing.T) {
	node, err := exec.LookPath("node")
	if err != nil {
		t.Skip("node is not installed")
	}
	dir := t.TempDir()
	source, wasm := filepath.Join(dir, "main.go"), filepath.Join(dir, "main.wasm")
	if err := os.WriteFile(source, []byte(program), 0o600); err != nil {
		t.Fatal(err)
	}
	build := exec.Command("go", "build", "-o", wasm, source)
	build.Env = append(os.Environ(), "GOOS=js", "GOARCH=wasm")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	run := func() (stdout, stderr string) {
		cmd := exec.Command(node, filepath.Join(runtime.GOROOT(), "lib/wasm/wasm_exec_node.js"), wasm)
		var out, err bytes.Buffer
		cmd.Stdout, cmd.Stderr = &out, &err
		cmd.Run() // it panics
		return out.String(), err.String()
	}
	before, _ := run()
	for _, lines := range []bool{true, false} {
		if err := packFile(wasm, lines); err != nil {
			t.Fatal(err)
		}
		after, trace := run()
		if after != before || !strings.Contains(after, "nodes: 19020") {
			t.Errorf("lines %t: output is\n%swas\n%s", lines, after, before)
		}
		if !strings.Contains(trace, "panic: second") || !strings.Contains(trace, "main.fail(") || strings.Contains(trace, "main.go:") != lines {
			t.Errorf("lines %t: trace is\n%s", lines, trace)
		}
	}

	packed, err := os.ReadFile(wasm)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(packed)-1; i += 1 + len(packed)/200 {
		if _, err := pack(packed[:i], false); err == nil {
			t.Errorf("cut to %d bytes: no error", i)
		}
	}
}

func TestSegments(t *testing.T) {
	memory := slices.Concat(make([]byte, 70), []byte("one"), make([]byte, gap-1), []byte("and"), make([]byte, 3*gap), []byte("two"))
	section := writeSegments(memory)
	if section[0] != 2 {
		t.Errorf("%d segments, want 2", section[0])
	}
	if got := readSegments(section); !bytes.Equal(got, memory) {
		t.Errorf("memory differs")
	}
}

func TestLEB128(t *testing.T) {
	for _, n := range []int{0, 1, 63, 64, 127, 128, 8191, 8192, 1<<31 - 1} {
		if r := reader(appendUint(nil, n)); r.uint() != n || len(r) != 0 {
			t.Errorf("%d unsigned: %x", n, appendUint(nil, n))
		}
		if r := reader(appendInt(nil, n)); r.int() != n || len(r) != 0 {
			t.Errorf("%d signed: %x", n, appendInt(nil, n))
		}
	}
	if r := reader([]byte{0x80, 0x7f}); r.int() != -128 {
		t.Error("-128")
	}
}
