// Package prefault puts new memory in place before it is used.
//
// The kernel gives a process memory page by page, when each page is first touched. If page
// faults are expensive, as in virtual machines, they make up most of the cost of new
// memory. If the kernel is asked for many pages at once, there are no faults. The content of
// memory doesn't change, and memory that has its pages keeps them.
package prefault
