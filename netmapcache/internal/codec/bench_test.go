package codec

import (
	"encoding/json"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"tailscale.com/tailcfg"
)

// benchPeers is as many peers as a part of the cache holds.
var benchPeers = netmaptest.Realistic(32, 1).Peers

func BenchmarkEncodePeers(b *testing.B) {
	b.Run("codec", func(b *testing.B) {
		var buf []byte
		b.ReportAllocs()
		for b.Loop() {
			buf = AppendPeers(buf[:0], benchPeers)
		}
		b.SetBytes(int64(len(buf)))
	})
	b.Run("json", func(b *testing.B) {
		var buf []byte
		var err error
		b.ReportAllocs()
		for b.Loop() {
			if buf, err = json.Marshal(benchPeers); err != nil {
				b.Fatal(err)
			}
		}
		b.SetBytes(int64(len(buf)))
	})
}

func BenchmarkDecodePeers(b *testing.B) {
	b.Run("codec", func(b *testing.B) {
		data := AppendPeers(nil, benchPeers)
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			if _, err := DecodePeers(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("json", func(b *testing.B) {
		data, err := json.Marshal(benchPeers)
		if err != nil {
			b.Fatal(err)
		}
		b.SetBytes(int64(len(data)))
		b.ReportAllocs()
		for b.Loop() {
			var peers []tailcfg.NodeView
			if err := json.Unmarshal(data, &peers); err != nil {
				b.Fatal(err)
			}
		}
	})
}
