package codec

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
)

func FuzzDecodeRoot(f *testing.F) {
	saved := time.Unix(1700000000, 5)
	fuzzColumn(f, "root", AppendRoot(nil, &format.Root{
		Major: format.Major, Generation: 7, Writer: 1 << 63, Saved: saved, Confirmed: saved, Owner: "owner", PeerParts: 2,
		Columns: []format.Column{{Kind: format.KindNode, Size: 600, Count: 1}, {Kind: format.KindPeers, Part: 1, Size: 1 << 15, Count: 32}},
	}))
}

func FuzzDecodeMisc(f *testing.F) {
	nm := netmaptest.Realistic(1, 1)
	fuzzColumn(f, "misc", AppendMisc(nil, &format.Misc{
		MachineKey: nm.MachineKey, CollectServices: true, DisplayMessages: nm.DisplayMessages,
		TKAEnabled: true, TKAHead: nm.TKAHead, Domain: nm.Domain, DomainAuditLogID: nm.DomainAuditLogID,
	}))
}

func FuzzDecodeNode(f *testing.F) {
	fuzzColumn(f, "node", AppendNode(nil, netmaptest.Realistic(1, 1).SelfNode))
}

func FuzzDecodeDNS(f *testing.F) {
	fuzzColumn(f, "dns", AppendDNS(nil, &netmaptest.Realistic(1, 1).DNS))
}

func FuzzDecodeDERPMap(f *testing.F) {
	fuzzColumn(f, "derpmap", AppendDERPMap(nil, netmaptest.Realistic(1, 1).DERPMap))
}

func FuzzDecodeFilter(f *testing.F) {
	fuzzColumn(f, "filter", AppendFilter(nil, netmaptest.Realistic(5, 1).PacketFilterRules.AsSlice()))
}

func FuzzDecodeSSH(f *testing.F) {
	fuzzColumn(f, "ssh", AppendSSH(nil, netmaptest.Realistic(1, 1).SSHPolicy))
}

func FuzzDecodePeers(f *testing.F) {
	fuzzColumn(f, "peers", AppendPeers(nil, netmaptest.Realistic(3, 1).Peers))
}

func FuzzDecodeUsers(f *testing.F) {
	profiles := netmaptest.Realistic(10, 1).UserProfiles
	fuzzColumn(f, "users", AppendUsers(nil, slices.Sorted(maps.Keys(profiles)), profiles))
}

// fuzzColumn decodes what the fuzzer makes of realistic, which has to be
// decodable, and of random values.
func fuzzColumn(f *testing.F, name string, realistic []byte) {
	c := columnNamed(f, name)
	if _, err := c.decode(realistic); err != nil {
		f.Fatal(err)
	}
	f.Add(realistic)
	for seed := range uint64(5) {
		f.Add(c.append(nil, c.fill(rand.New(rand.NewPCG(seed, 0)))))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		decodeAgain(t, c, data)
		DecodeHeader(data) // must not panic
	})
}
