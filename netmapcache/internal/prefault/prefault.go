// Package prefault puts new memory in place before it is used.
//
// The kernel gives a process memory page by page, each when it is first touched. Where a page
// fault is expensive, as in virtual machines, that is most of what new memory
// costs; asked for many pages at once, the kernel has no faults to serve. The content of
// memory doesn't change, and memory that has its pages keeps them.
package prefault
