// Made by go generate; do not edit.

import { addr, addrPort, base64, bool, digest, float, id, int, intKey, json, jsonObject, optBool, other, prefix, skip, text } from './decoder.js';
import { hashOf, keyOf, listOf, mapOf, nullableOf, stemOf, struct, timeOf, uintOf, zero } from './tables.js';

export const formatColumn = struct(skip, () => ({ Kind: 0, Part: 0, Digest: "00000000000000000000000000000000", Size: 0, Count: 0 }), [
  ,
  ['Kind', uintOf(255)],
  ['Part', uintOf()],
  ['Digest', digest],
  ['Size', uintOf()],
  ['Count', uintOf()],
]);

export const formatRoot = struct(skip, () => ({ Major: 0, Generation: 0, Writer: 0, Saved: "0001-01-01T00:00:00Z", Confirmed: "0001-01-01T00:00:00Z", Owner: "", PeerParts: 0, UserParts: 0, Columns: null, Upstream: false }), [
  ,
  ['Major', uintOf()],
  ['Generation', uintOf()],
  ['Writer', uintOf()],
  ['Saved', timeOf(false)],
  ['Confirmed', timeOf(false)],
  ['Owner', text],
  ['PeerParts', uintOf()],
  ['UserParts', uintOf()],
  ['Columns', listOf(formatColumn)],
  ['Upstream', bool],
]);

export const tailcfgService = struct(other, () => ({ Proto: "", Port: 0 }), [
  ,
  ['Proto', text],
  ['Port', uintOf(65535)],
  ['Description', text, zero],
]);

export const tailcfgNetInfo = struct(other, () => ({}), [
  ,
  ['MappingVariesByDestIP', optBool, undefined],
  ['WorkingIPv6', optBool, undefined],
  ['OSHasIPv6', optBool, undefined],
  ['WorkingUDP', optBool, undefined],
  ['WorkingICMPv4', optBool, undefined],
  ['HavePortMap', bool, zero],
  ['UPnP', optBool, undefined],
  ['PMP', optBool, undefined],
  ['PCP', optBool, undefined],
  ['PreferredDERP', int, zero],
  ['LinkType', text, zero],
  ['DERPLatency', mapOf(text, float), zero],
  ['FirewallMode', text, zero],
]);

export const tailcfgLocation = struct(other, () => ({}), [
  ,
  ['Country', text, zero],
  ['CountryCode', text, zero],
  ['City', text, zero],
  ['CityCode', text, zero],
  ['Latitude', float, zero],
  ['Longitude', float, zero],
  ['Priority', int, zero],
]);

export const tailcfgTPMInfo = struct(other, () => ({}), [
  ,
  ['Manufacturer', text, zero],
  ['Vendor', text, zero],
  ['Model', int, zero],
  ['FirmwareVersion', uintOf(), zero],
  ['SpecRevision', int, zero],
  ['FamilyIndicator', text, zero],
]);

export const tailcfgHostinfo = struct(other, () => ({}), [
  ,
  ['IPNVersion', text, zero],
  ['BackendLogID', text, zero],
  ['OS', text, zero],
  ['OSVersion', text, zero],
  ['Hostname', text, zero],
  ['Distro', text, zero],
  ['DistroVersion', text, zero],
  ['DistroCodeName', text, zero],
  ['DeviceModel', text, zero],
  ['Package', text, zero],
  ['App', text, zero],
  ['Desktop', optBool, undefined],
  ['GoArch', text, zero],
  ['GoVersion', text, zero],
  ['Machine', text, zero],
  ['Services', listOf(tailcfgService), zero],
  ['NetInfo', nullableOf(tailcfgNetInfo), null],
  ['Userspace', optBool, undefined],
  ['UserspaceRouter', optBool, undefined],
  ['AppConnector', optBool, undefined],
  ['RoutableIPs', listOf(prefix), zero],
  ['sshHostKeys', listOf(text), zero],
  ['Location', nullableOf(tailcfgLocation), null],
  ['FrontendLogID', text, zero],
  ['Container', optBool, undefined],
  ['Env', text, zero],
  ['PushDeviceToken', text, zero],
  ['ShieldsUp', bool, zero],
  ['ShareeNode', bool, zero],
  ['NoLogsNoSupport', bool, zero],
  ['RemoteConfig', bool, zero],
  ['WireIngress', bool, zero],
  ['IngressEnabled', bool, zero],
  ['AllowsUpdate', bool, zero],
  ['GoArchVar', text, zero],
  ['RequestTags', listOf(text), zero],
  ['WoLMACs', listOf(text), zero],
  ['Cloud', text, zero],
  ['ServicesHash', text, zero],
  ['PeerRelay', bool, zero],
  ['ExitNodeID', text, zero],
  ['TPM', nullableOf(tailcfgTPMInfo), null],
  ['StateEncrypted', optBool, undefined],
]);

export const dnstypeResolver = struct(other, () => ({}), [
  ,
  ['Addr', text, zero],
  ['BootstrapResolution', listOf(addr), zero],
  ['UseWithExitNode', bool, zero],
]);

export const tailcfgNode = struct(other, () => ({ ID: 0, StableID: "", Name: "", User: 0, Key: "nodekey:0000000000000000000000000000000000000000000000000000000000000000", Addresses: null }), [
  ,
  ['ID', id],
  ['StableID', text],
  ['Name', text],
  ['User', id],
  ['Key', keyOf('nodekey:', false)],
  ['KeyExpiry', timeOf(true), zero],
  ['Machine', keyOf('mkey:', true), zero],
  ['DiscoKey', keyOf('discokey:', true), zero],
  ['Addresses', listOf(prefix)],
  ['AllowedIPs', listOf(prefix), null],
  ['Endpoints', listOf(addrPort), zero],
  ['HomeDERP', int, zero],
  ['Hostinfo', nullableOf(tailcfgHostinfo), null],
  ['Created', timeOf(true), zero],
  ['Cap', int, zero],
  ['Tags', listOf(text), zero],
  ['LastSeen', nullableOf(timeOf(false)), null],
  ['Online', nullableOf(bool), null],
  ['MachineAuthorized', bool, zero],
  ['CapMap', mapOf(text, listOf(json)), zero],
  ['ComputedName', stemOf('Name', 3), zero],
  ['ComputedNameWithHost', stemOf('ComputedName', 21), zero],
  ['PrimaryRoutes', listOf(prefix), zero],
  ['Sharer', id, zero],
  ['KeySignature', base64, zero],
  ['DERP', text, zero],
  ['Capabilities', listOf(text), zero],
  ['UnsignedPeerAPIOnly', bool, zero],
  ['DataPlaneAuditLogID', text, zero],
  ['Expired', bool, zero],
  ['SelfNodeV4MasqAddrForThisPeer', nullableOf(addr), null],
  ['SelfNodeV6MasqAddrForThisPeer', nullableOf(addr), null],
  ['IsWireGuardOnly', bool, zero],
  ['IsJailed', bool, zero],
  ['ExitNodeDNSResolvers', listOf(nullableOf(dnstypeResolver)), zero],
], 10, 'Addresses');

export const tailcfgDisplayMessageAction = struct(other, () => ({ URL: "", Label: "" }), [
  ,
  ['URL', text],
  ['Label', text],
]);

export const tailcfgDisplayMessage = struct(other, () => ({ Title: "", Text: "", Severity: "" }), [
  ,
  ['Title', text],
  ['Text', text],
  ['Severity', text],
  ['ImpactsConnectivity', bool, zero],
  ['PrimaryAction', nullableOf(tailcfgDisplayMessageAction), null],
]);

export const formatMisc = struct(skip, () => ({ MachineKey: "mkey:0000000000000000000000000000000000000000000000000000000000000000", CollectServices: false, DisplayMessages: null, TKAEnabled: false, TKAHead: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Domain: "", DomainAuditLogID: "" }), [
  ,
  ['MachineKey', keyOf('mkey:', false)],
  ['CollectServices', bool],
  ['DisplayMessages', mapOf(text, tailcfgDisplayMessage)],
  ['TKAEnabled', bool],
  ['TKAHead', hashOf(false)],
  ['Domain', text],
  ['DomainAuditLogID', text],
  ['Unknown', jsonObject],
]);

export const tailcfgDNSRecord = struct(other, () => ({ Name: "", Value: "" }), [
  ,
  ['Name', text],
  ['Type', text, zero],
  ['Value', text],
]);

export const tailcfgDNSConfig = struct(other, () => ({}), [
  ,
  ['Resolvers', listOf(nullableOf(dnstypeResolver)), zero],
  ['Routes', mapOf(text, listOf(nullableOf(dnstypeResolver))), zero],
  ['FallbackResolvers', listOf(nullableOf(dnstypeResolver)), zero],
  ['Domains', listOf(text), zero],
  ['Proxied', bool, zero],
  ['Nameservers', listOf(addr), zero],
  ['CertDomains', listOf(text), zero],
  ['ExtraRecords', listOf(tailcfgDNSRecord), zero],
  ['ExitNodeFilteredSet', listOf(text), zero],
  ['TempCorpIssue13969', text, zero],
]);

export const tailcfgDERPHomeParams = struct(other, () => ({}), [
  ,
  ['RegionScore', mapOf(intKey, float), zero],
]);

export const tailcfgDERPNode = struct(other, () => ({ Name: "", RegionID: 0, HostName: "" }), [
  ,
  ['Name', text],
  ['RegionID', int],
  ['HostName', text],
  ['CertName', text, zero],
  ['IPv4', text, zero],
  ['IPv6', text, zero],
  ['STUNPort', int, zero],
  ['STUNOnly', bool, zero],
  ['DERPPort', int, zero],
  ['InsecureForTests', bool, zero],
  ['STUNTestIP', text, zero],
  ['CanPort80', bool, zero],
]);

export const tailcfgDERPRegion = struct(other, () => ({ RegionID: 0, RegionCode: "", RegionName: "", Nodes: null }), [
  ,
  ['RegionID', int],
  ['RegionCode', text],
  ['RegionName', text],
  ['Latitude', float, zero],
  ['Longitude', float, zero],
  ['Avoid', bool, zero],
  ['NoMeasureNoHome', bool, zero],
  ['Nodes', listOf(nullableOf(tailcfgDERPNode))],
]);

export const tailcfgDERPMap = struct(other, () => ({ Regions: null }), [
  ,
  ['HomeParams', nullableOf(tailcfgDERPHomeParams), null],
  ['Regions', mapOf(intKey, nullableOf(tailcfgDERPRegion))],
  ['omitDefaultRegions', bool, zero],
]);

export const tailcfgPortRange = struct(other, () => ({ First: 0, Last: 0 }), [
  ,
  ['First', uintOf(65535)],
  ['Last', uintOf(65535)],
]);

export const tailcfgNetPortRange = struct(other, () => ({ IP: "", Ports: {"First":0,"Last":0} }), [
  ,
  ['IP', text],
  ['Bits', nullableOf(int), null],
  ['Ports', tailcfgPortRange],
]);

export const tailcfgCapGrant = struct(other, () => ({ Dsts: null }), [
  ,
  ['Dsts', listOf(prefix)],
  ['Caps', listOf(text), zero],
  ['CapMap', mapOf(text, listOf(json)), zero],
]);

export const tailcfgFilterRule = struct(other, () => ({ SrcIPs: null }), [
  ,
  ['SrcIPs', listOf(text)],
  ['SrcBits', listOf(int), zero],
  ['DstPorts', listOf(tailcfgNetPortRange), zero],
  ['IPProto', listOf(int), zero],
  ['CapGrant', listOf(tailcfgCapGrant), zero],
]);

export const tailcfgSSHPrincipal = struct(other, () => ({}), [
  ,
  ['node', text, zero],
  ['nodeIP', text, zero],
  ['userLogin', text, zero],
  ['any', bool, zero],
  ['pubKeys', listOf(text), zero],
]);

export const tailcfgSSHRecorderFailureAction = struct(other, () => ({}), [
  ,
  ['RejectSessionWithMessage', text, zero],
  ['TerminateSessionWithMessage', text, zero],
  ['NotifyURL', text, zero],
]);

export const tailcfgSSHAction = struct(other, () => ({}), [
  ,
  ['message', text, zero],
  ['reject', bool, zero],
  ['accept', bool, zero],
  ['sessionDuration', id, zero],
  ['allowAgentForwarding', bool, zero],
  ['holdAndDelegate', text, zero],
  ['allowLocalPortForwarding', bool, zero],
  ['allowRemotePortForwarding', bool, zero],
  ['recorders', listOf(addrPort), zero],
  ['onRecordingFailure', nullableOf(tailcfgSSHRecorderFailureAction), null],
]);

export const tailcfgSSHRule = struct(other, () => ({ principals: null, sshUsers: null, action: null }), [
  ,
  ['ruleExpires', nullableOf(timeOf(false)), null],
  ['principals', listOf(nullableOf(tailcfgSSHPrincipal))],
  ['sshUsers', mapOf(text, text)],
  ['action', nullableOf(tailcfgSSHAction)],
  ['acceptEnv', listOf(text), zero],
]);

export const tailcfgSSHPolicy = struct(other, () => ({ rules: null }), [
  ,
  ['rules', listOf(nullableOf(tailcfgSSHRule))],
]);

export const tailcfgUserProfile = struct(other, () => ({ ID: 0, LoginName: "", DisplayName: "" }), [
  ,
  ['ID', id],
  ['LoginName', text],
  ['DisplayName', text],
  ['ProfilePicURL', text, zero],
  ['Groups', listOf(text), zero],
]);

export const formatUser = struct(skip, () => ({ ID: 0, Profile: null }), [
  ,
  ['ID', id],
  ['Profile', nullableOf(tailcfgUserProfile)],
]);
