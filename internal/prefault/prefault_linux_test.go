package prefault

import (
	"errors"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestSlice counts the page faults of filling new memory.
func TestSlice(t *testing.T) {
	s := make([]int64, 8<<20)
	if err := unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), pageSize), unix.MADV_POPULATE_WRITE); errors.Is(err, unix.EINVAL) {
		t.Skip("the kernel doesn't know MADV_POPULATE_WRITE")
	}
	Slice(s[1 : len(s)-1])
	before := faults(t)
	for i := range s {
		s[i] = int64(i)
	}
	pages := int64(len(s)) * 8 / int64(pageSize)
	if n := faults(t) - before; n > pages/64 {
		t.Errorf("%d page faults for %d pages", n, pages)
	}
	Slice(s)
	for i := range s {
		if s[i] != int64(i) {
			t.Fatalf("element %d is %d", i, s[i])
		}
	}
	Slice(s[:0])
	Slice[struct{}](nil)
}

func faults(t *testing.T) int64 {
	t.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		t.Fatal(err)
	}
	return int64(usage.Minflt)
}
