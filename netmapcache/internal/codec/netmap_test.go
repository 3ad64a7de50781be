package codec

import (
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/netmapcache/internal/format"
	"tailscale.com/types/netmap"
)

// derived stands for fields of NetworkMap that have no column.
const derived = format.Kind(0)

// netmapFields tells for each field of NetworkMap which kind of column holds it.
var netmapFields = map[string]format.Kind{
	"Cached":            derived, // true in what is loaded
	"SelfNode":          format.KindNode,
	"AllCaps":           derived, // from SelfNode
	"NodeKey":           derived, // from SelfNode
	"MachineKey":        format.KindMisc,
	"Peers":             format.KindPeers,
	"DNS":               format.KindDNS,
	"PacketFilter":      derived, // from PacketFilterRules
	"PacketFilterRules": format.KindFilter,
	"SSHPolicy":         format.KindSSH,
	"CollectServices":   format.KindMisc,
	"DERPMap":           format.KindDERPMap,
	"DisplayMessages":   format.KindMisc,
	"TKAEnabled":        format.KindMisc,
	"TKAHead":           format.KindMisc,
	"Domain":            format.KindMisc,
	"DomainAuditLogID":  format.KindMisc,
	"UserProfiles":      format.KindUsers,
}

func TestNetworkMapFields(t *testing.T) {
	nm, misc := reflect.TypeFor[netmap.NetworkMap](), reflect.TypeFor[format.Misc]()
	inMisc := 0
	for i := range nm.NumField() {
		f := nm.Field(i)
		kind, ok := netmapFields[f.Name]
		if !ok {
			t.Errorf("NetworkMap.%s is neither stored nor derived", f.Name)
		}
		if kind != format.KindMisc {
			continue
		}
		inMisc++
		if m, ok := misc.FieldByName(f.Name); !ok || m.Type != f.Type {
			t.Errorf("NetworkMap.%s is not a field of Misc of the same type", f.Name)
		}
	}
	if len(netmapFields) != nm.NumField() {
		t.Error("a field in the list is not one of NetworkMap")
	}
	if inMisc+1 != misc.NumField() { // and Misc.Unknown
		t.Error("Misc has a field that NetworkMap hasn't")
	}
	if names := strings.Fields(netmapNames)[1:]; !slices.Equal(slices.Sorted(slices.Values(names)), slices.Sorted(maps.Keys(netmapFields))) {
		t.Errorf("netmapNames is not the names in the list: %q", names)
	}
}
