// Makes network maps for tests.

// netmap returns a map with a number of peers, and something in every field.
export function netmap(peers) {
  return {
    SelfNode: node(0),
    MachineKey: `mkey:${hex(7)}`,
    Peers: Array.from({ length: peers }, (_, i) => node(i + 1)),
    DNS: {
      Resolvers: [{ Addr: '100.100.100.100' }],
      Routes: { 'corp.example.com.': [{ Addr: '10.0.0.53' }], 'plain.example.com.': [] },
      Domains: ['tail1234.ts.net'],
      Proxied: true,
      CertDomains: ['host-0.tail1234.ts.net'],
      ExtraRecords: [{ Name: 'wiki.tail1234.ts.net', Value: '100.64.0.9' }],
    },
    PacketFilterRules: [
      { SrcIPs: ['100.64.0.0/10'], DstPorts: [{ IP: '*', Ports: { First: 0, Last: 65535 } }], IPProto: [6, 17] },
      { SrcIPs: ['*'], CapGrant: [{ Dsts: ['100.64.0.1/32'], CapMap: { 'example.com/cap/admin': [{ level: 3 }] } }] },
    ],
    SSHPolicy: { rules: [{ principals: [{ any: true }], sshUsers: { '*': '=' }, action: { accept: true } }] },
    CollectServices: true,
    DERPMap: {
      Regions: {
        1: {
          RegionID: 1,
          RegionCode: 'nyc',
          RegionName: 'New York City',
          Nodes: [{ Name: '1a', RegionID: 1, HostName: 'derp1.example.com', IPv4: '192.0.2.1' }],
        },
      },
    },
    DisplayMessages: { 'key-expiry': { Title: 'Key expires', Text: 'in three days', Severity: 'medium' } },
    TKAEnabled: true,
    TKAHead: 'B'.repeat(51) + 'A',
    Domain: 'example.com',
    DomainAuditLogID: 'audit-1',
    UserProfiles: {
      100: { ID: 100, LoginName: 'alice@example.com', DisplayName: 'Älice 🦊' },
      '9007199254740993': { ID: '9007199254740993', LoginName: 'bob@example.com', DisplayName: 'Bob' },
    },
  };
}

// node returns the node with the ID i + 1. Its owner has an ID that no number of
// JavaScript can hold, if i is odd.
export function node(i) {
  const ip = `100.64.${i >> 8}.${i & 255}/32`;
  return {
    ID: i + 1,
    StableID: `n${i + 1}CNTRL`,
    Name: `host-${i}.tail1234.ts.net.`,
    User: i % 2 ? '9007199254740993' : 100,
    Key: `nodekey:${hex(i + 1)}`,
    KeyExpiry: '2027-01-02T03:04:05Z',
    Machine: `mkey:${hex(i + 2)}`,
    DiscoKey: `discokey:${hex(i + 3)}`,
    Addresses: [ip],
    AllowedIPs: [ip, '10.1.0.0/16'],
    Endpoints: ['192.0.2.7:41641', '[2001:db8::7]:41641'],
    HomeDERP: 1,
    Hostinfo: {
      OS: 'linux',
      OSVersion: '6.12',
      Hostname: `host-${i}`,
      Services: [{ Proto: 'tcp', Port: 22 }],
      NetInfo: { PreferredDERP: 1 },
    },
    Created: '2025-06-07T08:09:10.123456789+02:00',
    Cap: 142,
    Tags: ['tag:server'],
    LastSeen: '2026-11-01T00:00:00Z',
    Online: i % 3 === 0,
    MachineAuthorized: true,
    CapMap: { funnel: null, 'example.com/cap/x': [{ a: 1, b: ['c'] }] },
  };
}

function hex(n) {
  return n.toString(16).padStart(64, '0');
}
