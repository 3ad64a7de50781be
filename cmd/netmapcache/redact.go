package main

import (
	"cmp"
	"encoding"
	stdjson "encoding/json"
	"net/netip"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/netmapcache/netmapcache/netmapcache"
	"github.com/netmapcache/netmapcache/store/memstore"
	"github.com/spf13/cobra"
	"go4.org/netipx"
	"tailscale.com/tailcfg"
	"tailscale.com/types/key"
	"tailscale.com/types/netmap"
	"tailscale.com/types/opt"
	"tailscale.com/types/views"
)

// redacted returns a source with the netmap of s, in which pseudonyms replace names.
func (s *source) redacted(cmd *cobra.Command) (*source, error) {
	ctx := cmd.Context()
	info, err := s.info(ctx)
	if err != nil {
		return nil, err
	}
	snap, err := s.load(cmd, false)
	if err != nil {
		return nil, err
	}
	p := newPseudonyms(snap.NetworkMap)
	nm := p.netmap(snap.NetworkMap)

	now := info.SavedAt
	store := memstore.New()
	cache := netmapcache.NewCache(store, netmapcache.WithOwner(p.text(info.Owner)), netmapcache.WithClock(func() time.Time { return now }))
	for _, t := range []time.Time{info.SavedAt, info.ConfirmedAt} {
		now = t
		if err := cache.Store(ctx, nm); err != nil {
			return nil, err
		}
	}
	return &source{name: s.name, store: store, cache: cache}, nil
}

// netmap returns nm with pseudonyms. The result has only the fields that are listed here.
func (p *pseudonyms) netmap(nm *netmap.NetworkMap) *netmap.NetworkMap {
	r := &netmap.NetworkMap{
		SelfNode:         p.node(nm.SelfNode),
		MachineKey:       redact(p, nm.MachineKey),
		DNS:              redact(p, nm.DNS),
		SSHPolicy:        redact(p, nm.SSHPolicy),
		CollectServices:  nm.CollectServices,
		DERPMap:          redact(p, nm.DERPMap),
		DisplayMessages:  redact(p, nm.DisplayMessages),
		TKAEnabled:       nm.TKAEnabled,
		Domain:           p.text(nm.Domain),
		DomainAuditLogID: p.text(nm.DomainAuditLogID),
	}
	for _, n := range nm.Peers {
		r.Peers = append(r.Peers, p.node(n))
	}
	slices.SortFunc(r.Peers, func(a, b tailcfg.NodeView) int { return cmp.Compare(a.ID(), b.ID()) })
	if !nm.PacketFilterRules.IsNil() {
		r.PacketFilterRules = views.SliceOf(redact(p, nm.PacketFilterRules.AsSlice()))
	}
	if nm.UserProfiles != nil {
		r.UserProfiles = make(map[tailcfg.UserID]tailcfg.UserProfileView)
		for id, u := range nm.UserProfiles {
			r.UserProfiles[redact(p, id)] = redact(p, u.AsStruct()).View()
		}
	}
	return r
}

func (p *pseudonyms) node(n tailcfg.NodeView) tailcfg.NodeView {
	return redact(p, n.AsStruct()).View()
}

func redact[T any](p *pseudonyms, v T) T {
	r := reflect.New(reflect.TypeFor[T]()).Elem()
	p.set(r, reflect.ValueOf(&v).Elem())
	return r.Interface().(T)
}

// kept are the fields whose text says nothing about whose network it is.
var kept = map[reflect.Type][]string{
	reflect.TypeFor[tailcfg.Node](): {"LegacyDERPString"},
	reflect.TypeFor[tailcfg.Hostinfo](): {
		"IPNVersion", "OS", "OSVersion", "Distro", "DistroVersion", "DistroCodeName", "Package",
		"GoArch", "GoArchVar", "GoVersion", "Machine", "Env", "Cloud",
	},
	reflect.TypeFor[tailcfg.NetInfo]():        {"LinkType", "FirewallMode", "DERPLatency"},
	reflect.TypeFor[tailcfg.Service]():        {"Proto"},
	reflect.TypeFor[tailcfg.TPMInfo]():        {"Manufacturer", "Vendor", "FamilyIndicator"},
	reflect.TypeFor[tailcfg.DNSRecord]():      {"Type"},
	reflect.TypeFor[tailcfg.DisplayMessage](): {"Severity"},
}

// dropped are the fields that reveal too much and are of little use for debugging.
var dropped = map[reflect.Type][]string{
	reflect.TypeFor[tailcfg.Location]():   {"Latitude", "Longitude"},
	reflect.TypeFor[tailcfg.DERPRegion](): {"Latitude", "Longitude"},
}

// set sets r to v with pseudonyms. Whatever isn't known to be harmless gets one.
func (p *pseudonyms) set(r, v reflect.Value) {
	switch x := v.Interface().(type) {
	case time.Time:
		r.Set(v)
		return
	case opt.Bool:
		if _, err := x.MarshalJSON(); err != nil { // neither true nor false
			x = opt.Bool(p.text(string(x)))
		}
		r.Set(reflect.ValueOf(x))
		return
	case netip.Addr:
		r.Set(reflect.ValueOf(p.addr(x)))
		return
	case netip.AddrPort:
		r.Set(reflect.ValueOf(netip.AddrPortFrom(p.addr(x.Addr()), x.Port())))
		return
	case netip.Prefix:
		r.Set(reflect.ValueOf(p.prefix(x)))
		return
	case key.NodePublic, key.MachinePublic, key.DiscoPublic:
		p.setKey(r, v)
		return
	case tailcfg.NodeID, tailcfg.UserID:
		r.SetInt(p.number(v.Int()))
		return
	case tailcfg.RawMessage:
		r.SetString(p.json(string(x)))
		return
	case tailcfg.NodeCapability, tailcfg.PeerCapability:
		r.SetString(p.capability(v.String()))
		return
	case tailcfg.FilterRule:
		r.Set(reflect.ValueOf(p.rule(x)))
		return
	case *tailcfg.DERPRegion:
		if isTailscales(x) {
			r.Set(v)
			return
		}
	}
	switch v.Kind() {
	case reflect.String:
		r.SetString(p.text(v.String()))
	case reflect.Pointer:
		if !v.IsNil() {
			r.Set(reflect.New(v.Type().Elem()))
			p.set(r.Elem(), v.Elem())
		}
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		r.Set(reflect.MakeSlice(v.Type(), v.Len(), v.Len()))
		if v.Type().Elem().Kind() == reflect.Uint8 { // a signature
			copy(r.Bytes(), p.stream(v.Bytes()))
			return
		}
		for i := range v.Len() {
			p.set(r.Index(i), v.Index(i))
		}
	case reflect.Map:
		if v.IsNil() {
			return
		}
		r.Set(reflect.MakeMap(v.Type()))
		for k, e := range v.Seq2() {
			key, value := reflect.New(k.Type()).Elem(), reflect.New(e.Type()).Elem()
			p.set(key, k)
			p.set(value, e)
			r.SetMapIndex(key, value)
		}
	case reflect.Struct:
		for i := range v.NumField() {
			switch f := v.Type().Field(i); {
			case !f.IsExported() || slices.Contains(dropped[v.Type()], f.Name):
			case slices.Contains(kept[v.Type()], f.Name):
				r.Field(i).Set(v.Field(i))
			default:
				p.set(r.Field(i), v.Field(i))
			}
		}
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Float32, reflect.Float64:
		r.Set(v)
	}
}

// setKey sets r to a key in place of v.
func (p *pseudonyms) setKey(r, v reflect.Value) {
	if v.IsZero() {
		return
	}
	text, err := v.Interface().(encoding.TextMarshaler).MarshalText()
	if err == nil {
		err = r.Addr().Interface().(encoding.TextUnmarshaler).UnmarshalText([]byte(p.text(string(text))))
	}
	if err != nil {
		r.SetZero()
	}
}

// isTailscales reports whether r is a relay region that Tailscale runs. Such regions are the same for all networks.
func isTailscales(r *tailcfg.DERPRegion) bool {
	return r != nil && len(r.Nodes) > 0 && !slices.ContainsFunc(r.Nodes, func(n *tailcfg.DERPNode) bool {
		return n == nil || !strings.HasSuffix(n.HostName, ".tailscale.com")
	})
}

// capability returns c if Tailscale itself has named it, and otherwise a pseudonym.
func (p *pseudonyms) capability(c string) string {
	own := strings.TrimPrefix(strings.TrimPrefix(c, "https://"), "tailscale.com/cap/")
	if strings.Trim(own, "abcdefghijklmnopqrstuvwxyz0123456789-") == "" {
		return c
	}
	return p.text(c)
}

// rule returns r with pseudonyms. Ranges of addresses become prefixes, so that subnets stay subnets.
func (p *pseudonyms) rule(r tailcfg.FilterRule) tailcfg.FilterRule {
	next := tailcfg.FilterRule{SrcBits: r.SrcBits, IPProto: r.IPProto, CapGrant: redact(p, r.CapGrant)}
	for _, s := range r.SrcIPs {
		next.SrcIPs = append(next.SrcIPs, p.addresses(s)...)
	}
	for _, d := range r.DstPorts {
		for _, ip := range p.addresses(d.IP) {
			d.IP = ip
			next.DstPorts = append(next.DstPorts, d)
		}
	}
	return next
}

// addresses returns pseudonyms for a source or destination of a rule.
func (p *pseudonyms) addresses(s string) []string {
	if c, ok := strings.CutPrefix(s, "cap:"); ok {
		return []string{"cap:" + p.capability(c)}
	}
	if prefix, err := netip.ParsePrefix(s); err == nil {
		return []string{p.prefix(prefix).String()}
	}
	if r, err := netipx.ParseIPRange(s); err == nil {
		var list []string
		for _, prefix := range r.Prefixes() {
			list = append(list, p.prefix(prefix).String())
		}
		return list
	}
	return []string{p.text(s)}
}

// json returns the JSON text with pseudonyms in place of strings, keys of objects and large numbers.
func (p *pseudonyms) json(text string) string {
	var v any
	if text == "" {
		return text
	} else if err := unmarshalExactly([]byte(text), &v); err != nil {
		return `"` + p.token(text) + `"`
	}
	redacted, err := json.Marshal(p.any(v), toJSON)
	if err != nil {
		return `"` + p.token(text) + `"`
	}
	return string(redacted)
}

func (p *pseudonyms) any(v any) any {
	switch v := v.(type) {
	case string:
		return p.text(v)
	case stdjson.Number:
		if len(v) > maxDigits {
			return p.number(int64(p.hash("number", string(v))))
		}
	case []any:
		for i := range v {
			v[i] = p.any(v[i])
		}
	case map[string]any:
		r := make(map[string]any, len(v))
		for k, e := range v {
			r[p.text(k)] = p.any(e)
		}
		return r
	}
	return v
}
