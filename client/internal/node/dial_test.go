package node

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestDial connects to ports of a native peer, and to what there isn't.
func TestDial(t *testing.T) {
	r := newRig(t)
	r.friend()
	d := r.start()
	d.awaitSaved()
	silent := ""
	d.await("the friend among the peers", func(State, []Mark) bool {
		found := false
		for _, p := range d.Netmap().Peers {
			if isName("friend", p.Name()) {
				found = true
			} else if !p.IsWireGuardOnly() {
				silent = strings.TrimSuffix(p.Name(), ".")
			}
		}
		return found
	})

	t.Run("from its own address", func(t *testing.T) {
		if len(d.Netmap().GetVIPServiceIPMap()) == 0 {
			t.Fatal("the node hosts no services, whose addresses it could take")
		}
		for range 20 { // any of them is taken, if it may be
			conn, err := d.dialFor(patience, "friend:7")
			if err != nil {
				t.Fatal(err)
			}
			from := netip.MustParseAddrPort(conn.LocalAddr().String()).Addr()
			conn.Close()
			if !slices.Contains(d.Netmap().GetAddresses().AsSlice(), netip.PrefixFrom(from, from.BitLen())) {
				t.Errorf("from %v, which is none of %v", from, d.Netmap().GetAddresses())
			}
		}
	})

	t.Run("many at once", func(t *testing.T) {
		before := runtime.NumGoroutine()
		var all sync.WaitGroup
		for i := range 300 {
			all.Go(func() {
				if err := d.echo(fmt.Appendf(nil, "%d", i)); err != nil {
					t.Errorf("connection %d: %v", i, err)
				}
			})
		}
		all.Wait()
		limit := time.After(patience)
		for now := runtime.NumGoroutine(); now > before; now = runtime.NumGoroutine() {
			select {
			case <-time.After(10 * time.Millisecond):
			case <-limit:
				t.Fatalf("%d goroutines, %d before", now, before)
			}
		}
	})

	canceled, cancel := context.WithCancel(t.Context())
	cancel()
	for _, test := range []struct {
		name, to string
		ctx      context.Context
		limit    time.Duration // patience if 0
		want     error
		wantText string
	}{
		{name: "no name of a peer", to: "nobody:7", want: ErrNoPeer},
		{name: "no name of a peer, which others may have", to: "example.com:7", want: ErrNoPeer},
		{name: "no address of a peer", to: "192.0.2.1:7", want: ErrNoPeer},
		{name: "no port", to: "friend", want: ErrNoPeer},
		{name: "a port that nobody listens on", to: "friend:8", wantText: "connection was refused"},
		{name: "given up before", to: "friend:7", ctx: canceled, want: context.Canceled},
		{name: "given up while a peer doesn't answer", to: silent + ":7", limit: 50 * time.Millisecond, want: context.DeadlineExceeded},
	} {
		t.Run(test.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(cmp.Or(test.ctx, t.Context()), cmp.Or(test.limit, patience))
			defer cancel()
			conn, err := d.Dial(ctx, test.to)
			if err == nil {
				conn.Close()
				t.Fatal("no error")
			}
			if test.want != nil && !errors.Is(err, test.want) || !strings.Contains(err.Error(), test.wantText) {
				t.Errorf("%v, want %v %s", err, test.want, test.wantText)
			}
		})
	}
}

func (d *device) dialFor(limit time.Duration, address string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(d.t.Context(), limit)
	defer cancel()
	return d.Dial(ctx, address)
}

// echo sends something to the friend, which sends it back, and ends its half when this end has ended its own.
func (d *device) echo(sent []byte) error {
	conn, err := d.dialFor(patience, "friend:7")
	if err != nil {
		return err
	}
	defer conn.Close()
	if _, err := conn.Write(sent); err != nil {
		return err
	}
	if err := conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		return err
	}
	got, err := io.ReadAll(conn)
	if err == nil && !bytes.Equal(got, sent) {
		err = fmt.Errorf("%q came back of %q", got, sent)
	}
	return err
}
