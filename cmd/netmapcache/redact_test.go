package main

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/netip"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/netmapcache/netmapcache/internal/netmaptest"
	"github.com/netmapcache/netmapcache/netmapcache"
	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

// output runs the command line args and returns what it prints.
func outputOf(t *testing.T, want int, args ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	if status := run(t.Context(), args, strings.NewReader(""), &output{bufio.NewWriter(&out), 0}, &errs); status != want {
		t.Fatalf("%s: exit status %d: %s", strings.Join(args, " "), status, errs.String())
	}
	return out.String()
}

// saved stores nm in a directory, and returns that and the redacted file of it.
func saved(t *testing.T, nm *netmap.NetworkMap) (dir, redacted string) {
	t.Helper()
	dir = t.TempDir()
	check(t, netmapcache.NewCache(netmapcache.FileStore(dir), netmapcache.WithOwner("owner@example.org")).Store(t.Context(), nm))
	redacted = filepath.Join(t.TempDir(), "redacted")
	outputOf(t, 0, "export", "--redact", dir, redacted)
	return dir, redacted
}

// openly are the fields whose values may be shown: versions, systems and the like.
var openly = map[string]bool{
	"IPNVersion": true, "OS": true, "OSVersion": true, "Distro": true, "DistroVersion": true, "DistroCodeName": true,
	"Package": true, "GoArch": true, "GoArchVar": true, "GoVersion": true, "Machine": true, "Env": true, "Cloud": true,
	"LinkType": true, "FirewallMode": true, "DERPLatency": true, "Proto": true, "Severity": true, "Type": true,
	"Manufacturer": true, "Vendor": true, "FamilyIndicator": true, "DERP": true, "LegacyDERPString": true,
	"Created": true, "LastSeen": true, "KeyExpiry": true, "RuleExpires": true,
	"Regions": true, // those that Tailscale runs
}

// values calls f with the strings in the JSON value v, and with the keys of objects that are maps rather than structs.
func values(field string, v any, f func(field, s string)) {
	switch v := v.(type) {
	case string:
		f(field, v)
	case []any:
		for _, e := range v {
			values(field, e, f)
		}
	case map[string]any:
		for k, e := range v {
			switch field {
			case "CapMap", "Routes", "DisplayMessages", "UserProfiles", "SSHUsers":
				f(field, k)
			}
			if openly[field] {
				values(field, e, f)
			} else {
				values(k, e, f)
			}
		}
	}
}

var word = regexp.MustCompile(`[\pL\pN]*\pL[\pL\pN]*|[0-9]{6,}`)

// dull are pieces of addresses, times and words that are kept.
var dull = regexp.MustCompile(`^([0-9a-f]{4}|[0-9]+t[0-9]+|addr|invalid|prefix|0+|a{20,})$`)

// wordsOf returns the words of the strings in JSON text, divided into those that may be shown and the others.
func wordsOf(t *testing.T, text string) (open, secret map[string]bool) {
	t.Helper()
	var v any
	check(t, json.Unmarshal([]byte(text), &v))
	open, secret = make(map[string]bool), make(map[string]bool)
	values("", v, func(field, s string) {
		isOpen := openly[field] || strings.Contains(s, "tailscale.com/cap/")
		for _, w := range word.FindAllString(strings.ToLower(s), -1) {
			if isOpen || words[w] {
				open[w] = true
			} else if len(w) >= 4 && !dull.MatchString(w) {
				secret[w] = true
			}
		}
	})
	for w := range open {
		delete(secret, w)
	}
	return open, secret
}

// TestRedact searches the redacted file for everything in the original: for its words, and
// for addresses and keys also in their stored bytes.
func TestRedact(t *testing.T) {
	for name, nm := range map[string]*netmap.NetworkMap{
		"realistic":     netmaptest.Realistic(200, 1),
		"hostile":       netmaptest.Hostile(1),
		"hostile names": netmaptest.HostileNames(netmaptest.Realistic(30, 1)),
	} {
		t.Run(name, func(t *testing.T) {
			dir, file := saved(t, nm)
			_, secret := wordsOf(t, outputOf(t, 0, "show", "--json", dir))
			for w := range attributes(nm) {
				delete(secret, w)
			}
			if len(secret) < 20 {
				t.Errorf("only %d words to look for", len(secret))
			}
			open, left := wordsOf(t, outputOf(t, 0, "show", "--json", file))
			for w := range secret {
				if left[w] || open[w] {
					t.Errorf("%q is in the redacted netmap", w)
				}
			}
			raw := outputOf(t, 0, "export", file, "-")
			lower := strings.ToLower(raw)
			for w := range secret {
				if len(w) >= 7 && strings.Contains(lower, w) && !slices.ContainsFunc(slices.Collect(maps.Keys(open)), func(o string) bool { return strings.Contains(o, w) }) {
					t.Errorf("%q is in the redacted file", w)
				}
			}
			for _, p := range nm.Peers {
				for _, key := range []string{p.Key().String(), p.DiscoKey().String(), p.Machine().String()} {
					_, digits, _ := strings.Cut(key, ":")
					if b, _ := hex.DecodeString(digits); strings.Trim(digits, "0") != "" && bytes.Contains([]byte(raw), b) {
						t.Errorf("the key %s is in the redacted file", key)
					}
				}
				addrs := []netip.Addr{}
				for _, a := range slices.Concat(p.Addresses().AsSlice(), p.AllowedIPs().AsSlice()) {
					addrs = append(addrs, a.Addr())
				}
				for _, a := range p.Endpoints().All() {
					addrs = append(addrs, a.Addr())
				}
				for _, a := range addrs {
					if a.Is6() && !a.IsUnspecified() && !a.IsLoopback() && !constants[a] && a.AsSlice()[15] != 0 && bytes.Contains([]byte(raw), a.WithZone("").AsSlice()) {
						t.Errorf("the address %s is in the redacted file", a)
					}
				}
			}
		})
	}
}

// attributes are the words of capabilities that have the form of Tailscale's own.
func attributes(nm *netmap.NetworkMap) map[string]bool {
	found := make(map[string]bool)
	add := func(n tailcfg.NodeView) {
		for c := range n.CapMap().All() {
			if strings.Trim(string(c), "abcdefghijklmnopqrstuvwxyz0123456789-") == "" {
				for _, w := range word.FindAllString(string(c), -1) {
					found[w] = true
				}
			}
		}
		for _, c := range n.Capabilities().All() {
			for _, w := range word.FindAllString(strings.ToLower(string(c)), -1) {
				found[w] = true
			}
		}
	}
	add(nm.SelfNode)
	for _, p := range nm.Peers {
		add(p)
	}
	return found
}

// TestRedactKeepsShape checks what a redacted network has in common with the original.
func TestRedactKeepsShape(t *testing.T) {
	nm := netmaptest.Realistic(200, 1)
	dir, file := saved(t, nm)
	again := filepath.Join(t.TempDir(), "again")
	outputOf(t, 0, "export", "--redact", dir, again)
	outputOf(t, 0, "diff", file, again) // the same pseudonyms
	outputOf(t, 0, "verify", file)

	var before, after netmapcache.Info
	check(t, json.Unmarshal([]byte(outputOf(t, 0, "info", "--json", dir)), &before))
	check(t, json.Unmarshal([]byte(outputOf(t, 0, "info", "--json", file)), &after))
	if !after.SavedAt.Equal(before.SavedAt) || after.Peers != before.Peers || after.Users != before.Users {
		t.Errorf("got %+v, want %+v", after, before)
	}
	if after.Owner == before.Owner || after.Owner == "" {
		t.Errorf("owner %q", after.Owner)
	}

	// The rules let in as many peers as before, and there are as many names, keys and addresses.
	p := newPseudonyms(nm)
	redacted := p.netmap(nm)
	byKey := make(map[string]tailcfg.NodeView)
	addrs := make(map[string]bool)
	for _, q := range redacted.Peers {
		byKey[q.Key().String()] = q
		addrs[addresses(q)] = true
	}
	if len(byKey) != len(nm.Peers) {
		t.Errorf("%d keys of %d peers", len(byKey), len(nm.Peers))
	}
	for _, q := range nm.Peers {
		r := byKey[p.text(q.Key().String())]
		if !r.Valid() {
			t.Fatalf("no peer has the key of %s", name(q))
		}
		if got, want := ruleNumbers(redacted, r), ruleNumbers(nm, q); !slices.Equal(got, want) {
			t.Errorf("%s: let in by %v, want %v", name(q), got, want)
		}
	}
}

func ruleNumbers(nm *netmap.NetworkMap, p tailcfg.NodeView) (numbers []int) {
	for _, r := range rulesFor(nm, p) {
		numbers = append(numbers, r.Rule)
	}
	return numbers
}

func TestPseudonyms(t *testing.T) {
	p := newPseudonyms(netmaptest.Realistic(1, 1))
	for _, tt := range []struct{ text, want string }{ // a pseudonym is written as X, an address as A
		{"", ""},
		{"alice@corp.example.com", "X@X.X.com"},
		{"db-1.tail1234.ts.net.", "X.X.ts.net."},
		{"https://login.corp.com:8443/a?b=c", "https://X.X.com:8443/X?X=X"},
		{"100.64.1.2", "A"}, {"100.64.1.2/32", "A/X"}, {"the box 100.64.1.2 is gone", "X X A X X"},
		{"fd7a:115c:a1e0::1234", "A"}, {"[fd7a:115c:a1e0::1234]:53", "[A]:53"},
		{"1.168.192.in-addr.arpa.", "X.X.X.in-addr.arpa."},
		{"tag:db", "tag:X"}, {"*", "*"}, {"Zoë 🏠", "X X"}, {"\xff\xfesecret", "X"},
		{"ip-10-0-3-7", "X"},
	} {
		got := regexp.MustCompile(`x[a-z2-7]{8}`).ReplaceAllString(p.text(tt.text), "X")
		got = regexp.MustCompile(`100\.[0-9.]+|fd7a:115c:a1e0:[0-9a-f:]+`).ReplaceAllString(got, "A")
		if got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.text, got, tt.want)
		}
	}
	for text, want := range map[string]string{
		`{"secret": [443, "secret", true, null, 1.5], "root": {}}`: `{"root":{},"X":[443,"X",true,null,1.5]}`,
		`not JSON`: `"X"`,
		``:         ``,
	} {
		if got := regexp.MustCompile(`x[a-z2-7]{8}`).ReplaceAllString(p.json(text), "X"); got != want {
			t.Errorf("%s: got %s, want %s", text, got, want)
		}
	}
	a, b := netip.MustParseAddr("10.1.2.3"), netip.MustParseAddr("10.1.2.9")
	if !netip.PrefixFrom(p.addr(a), 28).Masked().Contains(p.addr(b)) || p.addr(a) == p.addr(b) || p.addr(a) == a {
		t.Errorf("%s and %s become %s and %s", a, b, p.addr(a), p.addr(b))
	}
}
