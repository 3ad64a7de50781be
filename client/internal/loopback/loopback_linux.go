// Package loopback keeps tests off the network.
package loopback

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// inside is set in the environment of the process that is in the namespace.
const inside = "NETMAPCACHE_TEST_IN_NAMESPACE"

// Main runs the tests in a network namespace of their own that has nothing but the loopback device, so that
// no traffic of theirs, nor of programs that they start, can leave the machine. It is for
// TestMain, and returns what to exit with. Who isn't root needs unprivileged user namespaces.
func Main(m *testing.M) int {
	if os.Getenv(inside) == "" {
		code, err := rerun()
		if err != nil {
			fmt.Fprintln(os.Stderr, "run the tests in a network namespace:", err)
			return 1
		}
		return code
	}
	if err := prepare(); err != nil {
		fmt.Fprintln(os.Stderr, "prepare the network namespace:", err)
		return 1
	}
	return m.Run()
}

// rerun runs this program again, in a namespace, and returns its exit code.
func rerun() (int, error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.Env = append(os.Environ(), inside+"=1",
		"TS_ASSUME_NETWORK_UP_FOR_TEST=1") // Tailscale rests while loopback is all there is
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET}
	if uid := os.Getuid(); uid != 0 {
		cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWUSER
		cmd.SysProcAttr.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}}
		cmd.SysProcAttr.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	}
	err := cmd.Run()
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		return max(exit.ExitCode(), 1), nil
	}
	return 0, err
}

// prepare takes the loopback device up, and checks that there is no other.
func prepare() error {
	s, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("open a socket: %w", err)
	}
	defer unix.Close(s)
	lo, err := unix.NewIfreq("lo")
	if err != nil {
		return err
	}
	lo.SetUint16(unix.IFF_UP)
	if err := unix.IoctlIfreq(s, unix.SIOCSIFFLAGS, lo); err != nil {
		return fmt.Errorf("take lo up: %w", err)
	}
	devices, err := net.Interfaces()
	if err != nil {
		return err
	}
	for _, d := range devices {
		if d.Flags&net.FlagLoopback == 0 && d.Flags&net.FlagUp != 0 {
			return fmt.Errorf("%s is up", d.Name)
		}
	}
	return nil
}
