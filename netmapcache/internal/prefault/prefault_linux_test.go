package prefault

import (
	"errors"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

// TestSlice looks for pages of new memory that are not in place.
func TestSlice(t *testing.T) {
	s := make([]int64, 8<<20)
	if err := unix.Madvise(unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), pageSize), unix.MADV_POPULATE_WRITE); errors.Is(err, unix.EINVAL) {
		t.Skip("the kernel doesn't know MADV_POPULATE_WRITE")
	}
	Slice(s[1 : len(s)-1])
	pages := uintptr(len(s)) * 8 / pageSize
	inPlace := make([]byte, pages)
	if _, _, errno := unix.Syscall(unix.SYS_MINCORE, uintptr(unsafe.Pointer(unsafe.SliceData(s))), pages*pageSize, uintptr(unsafe.Pointer(unsafe.SliceData(inPlace)))); errno != 0 {
		t.Fatal(errno)
	}
	missing := 0
	for _, flags := range inPlace {
		if flags&1 == 0 {
			missing++
		}
	}
	if missing > 0 {
		t.Errorf("%d of %d pages are not in place", missing, pages)
	}
	for i := range s {
		s[i] = int64(i)
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
