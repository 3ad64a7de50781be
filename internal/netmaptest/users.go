package netmaptest

import (
	"fmt"
	"strings"

	"tailscale.com/tailcfg"
	"tailscale.com/types/netmap"
)

var (
	givenNames = []string{"Ada", "Alan", "Barbara", "Chidi", "Dorothy", "Edsger", "Frances", "Grace", "Hedy", "Ivan", "Joan", "Katherine", "Leslie", "Margaret", "Niklaus", "Oyinkan", "Radia", "Søren", "Tomás", "Yukihiro"}
	surnames   = []string{"Abara", "Bouchard", "Castellanos", "Dijkman", "Eriksson", "Fitzgerald", "Gupta", "Horvat", "Ito", "Jansen", "Kowalski", "Lindqvist", "Müller", "Nakamura", "Okafor", "Petrov", "Quispe", "Rossi", "Silva", "Tremblay"}
	asciiOnly  = strings.NewReplacer("ø", "o", "á", "a", "ü", "u")
)

// users makes n people of our tailnet and the profiles that stand for others.
func (b *builder) users(n int) {
	for range n {
		given, sur := givenNames[b.IntN(len(givenNames))], surnames[b.IntN(len(surnames))]
		login := b.name(strings.ToLower(asciiOnly.Replace(given + "." + sur)))
		up := b.profile(login+"@"+domain, given+" "+sur)
		if !b.oneIn(4) {
			up.ProfilePicURL = fmt.Sprintf("https://lh3.googleusercontent.com/a/ACg8oc%x=s96-c", b.bytes(18))
		}
		for _, g := range []string{"group:eng", "group:ops", "group:contractors"} {
			if b.oneIn(3) {
				up.Groups = append(up.Groups, g+"@"+domain)
			}
		}
		b.profiles = append(b.profiles, up)
	}
	b.owner = b.profiles[0]
	b.tagged = b.profile("tagged-devices", "Tagged Devices")
	b.mullvad = b.profile("mullvad-vpn", "Mullvad VPN")
	b.sharer = b.profile("radia@tail-scale.example", "Radia P.")
	b.foreign = b.profile("hedy@tail-scale.example", "Hedy L.")
}

func (b *builder) profile(login, display string) *tailcfg.UserProfile {
	b.lastUser += tailcfg.UserID(1 + b.Int64N(500_000_000_000))
	up := &tailcfg.UserProfile{ID: b.lastUser, LoginName: login, DisplayName: display}
	b.byUser[up.ID] = up
	return up
}

// addProfiles adds the profiles of the users that nm's nodes refer to.
func (b *builder) addProfiles(nm *netmap.NetworkMap) {
	add := func(id tailcfg.UserID) {
		if up, ok := b.byUser[id]; ok {
			nm.UserProfiles[id] = up.View()
		}
	}
	add(nm.User())
	for _, p := range nm.Peers {
		add(p.Sharer())
		add(p.User())
	}
}
