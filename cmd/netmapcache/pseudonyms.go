package main

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"encoding/hex"
	"net/netip"
	"regexp"
	"strings"

	"tailscale.com/types/netmap"
)

// pseudonyms makes pseudonyms. A name always gets the same one. They depend on
// a key, because otherwise names and addresses could be found by trying all.
type pseudonyms struct {
	key   []byte
	block cipher.Block // of addresses
	pad   [16]byte
}

// newPseudonyms returns the pseudonyms for the network of nm. The key is derived from the node's machine key, which
// isn't known outside of the network, and stays the same.
func newPseudonyms(nm *netmap.NetworkMap) *pseudonyms {
	secret := nm.MachineKey
	if secret.IsZero() {
		secret = nm.SelfNode.Machine()
	}
	seed := []byte(secret.String())
	if secret.IsZero() {
		seed = make([]byte, 32)
		rand.Read(seed)
	}
	key := sha256.Sum256(append([]byte("netmapcache pseudonyms "), seed...))
	p := &pseudonyms{key: key[:]}
	p.block, _ = aes.NewCipher(p.sum("addresses", "")[:16])
	copy(p.pad[:], p.sum("pad", ""))
	return p
}

func (p *pseudonyms) sum(kind, s string) []byte {
	h := hmac.New(sha256.New, p.key)
	h.Write([]byte(kind + ":" + s))
	return h.Sum(nil)
}

func (p *pseudonyms) hash(kind, s string) uint64 { return binary.BigEndian.Uint64(p.sum(kind, s)) }

// number returns the pseudonym of an ID: a number that a float64 represents exactly.
func (p *pseudonyms) number(n int64) int64 {
	if n == 0 {
		return 0
	}
	return int64(p.hash("ID", string(binary.BigEndian.AppendUint64(nil, uint64(n))))>>11) | 1
}

// stream returns the pseudonym of b: as many bytes as b has.
func (p *pseudonyms) stream(b []byte) (r []byte) {
	for len(r) < len(b) {
		r = append(r, p.sum("bytes", string(b)+string(rune(len(r))))...)
	}
	return r[:len(b)]
}

// words are kept. They belong to Tailscale or to the Internet, not to a network.
var words = func() map[string]bool {
	m := make(map[string]bool)
	for _, w := range strings.Fields(`
		nodekey discokey mkey tag autogroup svc cap group user userid node https http tcp udp icmp
		com net org io dev ts tailscale beta local lan home internal arpa in-addr ip6
		true false null root nonroot admin member members self internet tagged all any none`) {
		m[w] = true
	}
	return m
}()

// maxDigits is the length of the longest number that is a port. A longer one is an ID.
const maxDigits = 5

var (
	// names matches addresses, and names or pieces of them, such as a label of a domain.
	names4     = `(?:[0-9]{1,3}\.){3}[0-9]{1,3}`
	names6     = `[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:` + names4 + `)?`
	part       = `(?:[A-Za-z0-9]|[^\x00-\x7f])(?:[A-Za-z0-9_-]|[^\x00-\x7f])*`
	namesRegex = regexp.MustCompile(names4 + `|` + names6 + `|` + part)
	partRegex  = regexp.MustCompile(part)
)

// text returns s with pseudonyms. Punctuation stays, so domains, emails and URLs keep their forms.
func (p *pseudonyms) text(s string) string {
	var b strings.Builder
	end := 0
	for _, at := range namesRegex.FindAllStringIndex(s, -1) {
		b.WriteString(s[end:at[0]])
		found := s[at[0]:at[1]]
		end = at[1]
		isPort := at[0] > 0 && s[at[0]-1] == ':' && len(found) <= maxDigits && strings.Trim(found, "0123456789") == ""
		if addr, err := netip.ParseAddr(found); err == nil {
			b.WriteString(p.addr(addr).String())
		} else if isPort {
			b.WriteString(found)
		} else {
			b.WriteString(partRegex.ReplaceAllStringFunc(found, p.token))
		}
	}
	b.WriteString(s[end:])
	return b.String()
}

// token returns the pseudonym of a name, or of a piece of one.
func (p *pseudonyms) token(s string) string {
	s = strings.ToLower(s)
	if words[s] {
		return s
	}
	if raw, err := hex.DecodeString(s); err == nil && len(raw) == 32 { // a key
		return hex.EncodeToString(p.stream(raw))
	}
	return "x" + strings.ToLower(base32.StdEncoding.EncodeToString(p.sum("name", s)[:5]))
}

// ranges are kept, but not the address within them.
var ranges = []netip.Prefix{
	netip.MustParsePrefix("100.64.0.0/10"), netip.MustParsePrefix("fd7a:115c:a1e0::/48"),
	netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
	netip.MustParsePrefix("169.254.0.0/16"), netip.MustParsePrefix("fe80::/10"), netip.MustParsePrefix("fc00::/7"),
}

// constants are the same in all networks.
var constants = map[netip.Addr]bool{
	netip.MustParseAddr("100.100.100.100"):    true,
	netip.MustParseAddr("fd7a:115c:a1e0::53"): true,
	netip.MustParseAddr("255.255.255.255"):    true,
	netip.MustParseAddr("127.3.3.40"):         true,
}

// addr returns the pseudonym of a. Two addresses have as many leading bits in common as before, as in
// Crypto-PAn (Fan, Xu, Ammar and Moon, 2004). So subnets stay subnets, and no two addresses become one.
func (p *pseudonyms) addr(a netip.Addr) netip.Addr {
	if !a.IsValid() || a.IsUnspecified() || a.IsLoopback() || constants[a] {
		return a
	}
	if a.Is4In6() {
		return netip.AddrFrom16(p.addr(a.Unmap()).As16())
	}
	if zone := a.Zone(); zone != "" {
		return p.addr(a.WithZone("")).WithZone(p.token(zone))
	}
	keep := 0
	for _, r := range ranges {
		if r.Contains(a) {
			keep = r.Bits()
			break
		}
	}
	bits := a.AsSlice()
	result := append([]byte(nil), bits...)
	input := p.pad
	input[15] ^= byte(len(bits)) // IPv4 and IPv6 differ
	var output [16]byte
	for i := range 8 * len(bits) {
		mask := byte(0x80) >> (i % 8)
		if i >= keep {
			p.block.Encrypt(output[:], input[:])
			if output[0]&0x80 != 0 {
				result[i/8] ^= mask
			}
		}
		input[i/8] = input[i/8]&^mask | bits[i/8]&mask
	}
	r, _ := netip.AddrFromSlice(result)
	return r
}

// prefix returns the pseudonym of a subnet.
func (p *pseudonyms) prefix(s netip.Prefix) netip.Prefix {
	r := netip.PrefixFrom(p.addr(s.Addr()), s.Bits())
	if s == s.Masked() {
		return r.Masked()
	}
	return r
}
