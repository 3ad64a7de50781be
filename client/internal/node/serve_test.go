package node

import (
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"

	"tailscale.com/tailcfg"
)

// TestServeBounds has peers ask for more than a node holds for them.
func TestServeBounds(t *testing.T) {
	w := newWeb("hello", func(a netip.Addr) tailcfg.NodeID { return tailcfg.NodeID(a.As4()[3]) })
	here := netip.MustParseAddrPort("100.64.0.100:80")
	// connect returns the peer's end of a connection, or nil if it was refused.
	connect := func(peer byte) net.Conn {
		handler, _ := w.accept(netip.AddrPortFrom(netip.AddrFrom4([4]byte{100, 64, 0, peer}), 4711), here)
		if handler == nil {
			return nil
		}
		ours, theirs := net.Pipe()
		go handler(ours)
		t.Cleanup(func() { theirs.Close() })
		theirs.Write([]byte("G")) // what is taken from a connection that is let in
		return theirs
	}

	t.Run("an endless request", func(t *testing.T) {
		conn := connect(1)
		written, _ := io.Copy(conn, io.MultiReader(strings.NewReader("ET / HTTP/1.1\r\n"), endless("A: b\r\n")))
		if most := int64(maxRequest); written > most {
			t.Errorf("%d bytes were taken, want at most %d", written, most)
		}
	})
	t.Run("connections", func(t *testing.T) {
		let := map[byte][]net.Conn{}
		for peer := byte(1); peer <= 2*maxConns/maxConnsPerPeer; peer++ {
			for range 2 * maxConnsPerPeer {
				if conn := connect(peer); conn != nil {
					let[peer] = append(let[peer], conn)
				}
			}
		}
		all := 0
		for peer, conns := range let {
			all += len(conns)
			if len(conns) > maxConnsPerPeer {
				t.Errorf("peer %d has %d connections, want at most %d", peer, len(conns), maxConnsPerPeer)
			}
		}
		if all != maxConns {
			t.Errorf("all have %d connections, want %d", all, maxConns)
		}
		io.WriteString(let[1][0], "ET / HTTP/1.1\r\nHost: here\r\n\r\n")
		if answer, err := io.ReadAll(let[1][0]); !strings.HasSuffix(string(answer), "\r\n\r\nhello") {
			t.Errorf("one of them was answered %q, %v", answer, err)
		}
		if connect(1) == nil {
			t.Error("there is no room after one of them ended")
		}
	})
	t.Run("another port", func(t *testing.T) {
		if handler, intercept := w.accept(netip.MustParseAddrPort("100.64.0.99:4711"), netip.AddrPortFrom(here.Addr(), 22)); handler != nil || !intercept {
			t.Error("it was let in")
		}
	})
}

// endless is a text again and again.
type endless string

func (e endless) Read(p []byte) (int, error) { return copy(p, e), nil }
