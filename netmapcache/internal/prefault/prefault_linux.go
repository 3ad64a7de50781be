package prefault

import (
	"os"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// minPages is how many pages are worth a system call.
const minPages = 2

var pageSize = uintptr(os.Getpagesize())

// Slice puts the pages of s in place. Kernels before Linux 5.14 can't, and then
// the first use of each page does.
func Slice[T any](s []T) {
	var zero T
	begin := uintptr(unsafe.Pointer(unsafe.SliceData(s)))
	end := (begin + uintptr(len(s))*unsafe.Sizeof(zero) + pageSize - 1) &^ (pageSize - 1)
	begin &^= pageSize - 1
	if end-begin >= minPages*pageSize {
		// unix.Madvise takes a slice, which would have to begin before s does.
		syscall.Syscall(syscall.SYS_MADVISE, begin, end-begin, unix.MADV_POPULATE_WRITE)
	}
}
