// Package format defines the values that a stored snapshot consists of, besides
// those of tailcfg: the root, which names the columns, and the column contents
// that have no type of their own in tailcfg.
//
// Package codec turns them into bytes, which docs/format.cddl
// specifies.
package format

import (
	"time"

	"tailscale.com/tailcfg"
	"tailscale.com/tka"
	"tailscale.com/types/key"
)

// Major is the major version of the format that this build writes, and the
// newest that it reads. A new field doesn't change Major, since older builds skip
// fields that they don't know. A change of meaning does.
const Major = 1

// DigestLen is the length in bytes of a [Digest].
const DigestLen = 16

// Digest is the SHA-256 of some bytes, truncated to 128 bits.
type Digest [DigestLen]byte

// A Header is the beginning of the root, which is the same in every version.
type Header struct {
	Major uint64
}

// Root describes one snapshot. It is the value of the key "self".
type Root struct {
	Major uint64 // as in Header

	Generation uint64    // counts the roots written to a store, from 1
	Writer     uint64    // random, one per Cache
	Saved      time.Time // when the netmap was last changed
	Confirmed  time.Time // when the netmap was last known to be current
	Owner      string    // as given to WithOwner

	// PeerParts and UserParts are the numbers of parts that peers and users are
	// divided into: zero for a nil list, otherwise a power of two. An
	// empty part has no column.
	PeerParts uint64
	UserParts uint64

	Columns []Column // in order of Kind, then Part

	// Upstream is true if the commit of this root replaced upstream's layout.
	// Then keys of that layout may be left, if the commit was interrupted.
	Upstream bool
}

// Column names one column of a snapshot.
type Column struct {
	Kind   Kind
	Part   uint64 // index of the part, for KindPeers and KindUsers
	Digest Digest
	Size   uint64 // bytes
	Count  uint64 // number of peers, users or rules in it; 1 for the other kinds
}

// A Kind says what a column holds. The format prescribes the numbers.
type Kind uint8

const (
	KindNode    Kind = 1 // tailcfg.Node, the self node
	KindMisc    Kind = 2 // Misc
	KindDNS     Kind = 3 // tailcfg.DNSConfig
	KindDERPMap Kind = 4 // tailcfg.DERPMap; no column for nil
	KindFilter  Kind = 5 // list of tailcfg.FilterRule; no column for nil
	KindSSH     Kind = 6 // tailcfg.SSHPolicy; no column for nil
	KindPeers   Kind = 7 // list of tailcfg.Node
	KindUsers   Kind = 8 // list of User
)

// Misc holds the fields of a netmap that are too small for columns of their own.
type Misc struct {
	MachineKey       key.MachinePublic
	CollectServices  bool
	DisplayMessages  map[tailcfg.DisplayMessageID]tailcfg.DisplayMessage
	TKAEnabled       bool
	TKAHead          tka.AUMHash
	Domain           string
	DomainAuditLogID string

	// Unknown holds the fields of the netmap that this module doesn't know.
	Unknown JSONObject `json:"-"`
}

// A JSONObject is text that is a JSON object, or empty for none.
type JSONObject string

// User is an entry of NetworkMap.UserProfiles.
type User struct {
	ID      tailcfg.UserID // the key; equal to Profile.ID in any sane netmap
	Profile *tailcfg.UserProfile
}
