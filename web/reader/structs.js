// Made by go generate; do not edit.

import { addr, addrPort, base64, bool, count, digest, field, float, hash, id, int, intKey, isZero, json, jsonObject, key, list, map, notUTF8, nullable, optBool, other, prefix, skip, some, stem, string, text, time, uint } from './decoder.js';

export function formatRoot() {
  const v = { Major: 0, Generation: 0, Writer: 0, Saved: "0001-01-01T00:00:00Z", Confirmed: "0001-01-01T00:00:00Z", Owner: "", PeerParts: 0, UserParts: 0, Columns: null, Upstream: false };
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.Major = uint(); break;
      case 2: v.Generation = uint(); break;
      case 3: v.Writer = uint(); break;
      case 4: v.Saved = time(); break;
      case 5: v.Confirmed = time(); break;
      case 6: v.Owner = text(); break;
      case 7: v.PeerParts = uint(); break;
      case 8: v.UserParts = uint(); break;
      case 9: v.Columns = list(formatColumn); break;
      case 10: v.Upstream = bool(); break;
      default: skip();
    }
  }
  return v;
}

export function formatColumn() {
  const v = { Kind: 0, Part: 0, Digest: "00000000000000000000000000000000", Size: 0, Count: 0 };
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.Kind = uint(255); break;
      case 2: v.Part = uint(); break;
      case 3: v.Digest = digest(); break;
      case 4: v.Size = uint(); break;
      case 5: v.Count = uint(); break;
      default: skip();
    }
  }
  return v;
}

export function tailcfgNode() {
  const v = { ID: 0, StableID: "", Name: "", User: 0, Key: "nodekey:0000000000000000000000000000000000000000000000000000000000000000", Addresses: null };
  let x, hasAllowedIPs, bytesOfName, bytesOfComputedName;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.ID = id(); break;
      case 2: v.StableID = string(); break;
      case 3: v.Name = string(); bytesOfName = notUTF8(); break;
      case 4: v.User = id(); break;
      case 5: v.Key = key('nodekey:'); break;
      case 6: if ((x = time(true))) v.KeyExpiry = x; break;
      case 7: if ((x = key('mkey:', true))) v.Machine = x; break;
      case 8: if ((x = key('discokey:', true))) v.DiscoKey = x; break;
      case 9: v.Addresses = list(prefix); break;
      case 10: hasAllowedIPs = true; if ((x = list(prefix)) !== null) v.AllowedIPs = x; break;
      case 11: if ((x = list(addrPort))?.length) v.Endpoints = x; break;
      case 12: if ((x = int())) v.HomeDERP = x; break;
      case 13: if ((x = nullable(tailcfgHostinfo)) !== null) v.Hostinfo = x; break;
      case 14: if ((x = time(true))) v.Created = x; break;
      case 15: if ((x = int())) v.Cap = x; break;
      case 16: if ((x = list(text))?.length) v.Tags = x; break;
      case 17: if ((x = nullable(time)) !== null) v.LastSeen = x; break;
      case 18: if ((x = nullable(bool)) !== null) v.Online = x; break;
      case 19: if ((x = bool())) v.MachineAuthorized = x; break;
      case 20: if (some(x = map(string, () => list(json)))) v.CapMap = x; break;
      case 21: if ((x = stem(v.Name ?? '', bytesOfName))) v.ComputedName = x; bytesOfComputedName = notUTF8(); break;
      case 22: if ((x = stem(v.ComputedName ?? '', bytesOfComputedName))) v.ComputedNameWithHost = x; break;
      case 23: if ((x = list(prefix))?.length) v.PrimaryRoutes = x; break;
      case 24: if ((x = id())) v.Sharer = x; break;
      case 25: if ((x = base64())) v.KeySignature = x; break;
      case 26: if ((x = text())) v.DERP = x; break;
      case 27: if ((x = list(text))?.length) v.Capabilities = x; break;
      case 28: if ((x = bool())) v.UnsignedPeerAPIOnly = x; break;
      case 29: if ((x = text())) v.DataPlaneAuditLogID = x; break;
      case 30: if ((x = bool())) v.Expired = x; break;
      case 31: if ((x = nullable(addr)) !== null) v.SelfNodeV4MasqAddrForThisPeer = x; break;
      case 32: if ((x = nullable(addr)) !== null) v.SelfNodeV6MasqAddrForThisPeer = x; break;
      case 33: if ((x = bool())) v.IsWireGuardOnly = x; break;
      case 34: if ((x = bool())) v.IsJailed = x; break;
      case 35: if ((x = list(() => nullable(dnstypeResolver)))?.length) v.ExitNodeDNSResolvers = x; break;
      default: other(n, v);
    }
  }
  if (!hasAllowedIPs && v.Addresses) v.AllowedIPs = v.Addresses.slice();
  return v;
}

export function tailcfgHostinfo() {
  const v = {};
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = text())) v.IPNVersion = x; break;
      case 2: if ((x = text())) v.BackendLogID = x; break;
      case 3: if ((x = text())) v.OS = x; break;
      case 4: if ((x = text())) v.OSVersion = x; break;
      case 5: if ((x = string())) v.Hostname = x; break;
      case 6: if ((x = text())) v.Distro = x; break;
      case 7: if ((x = text())) v.DistroVersion = x; break;
      case 8: if ((x = text())) v.DistroCodeName = x; break;
      case 9: if ((x = text())) v.DeviceModel = x; break;
      case 10: if ((x = text())) v.Package = x; break;
      case 11: if ((x = text())) v.App = x; break;
      case 12: if ((x = optBool()) !== undefined) v.Desktop = x; break;
      case 13: if ((x = text())) v.GoArch = x; break;
      case 14: if ((x = text())) v.GoVersion = x; break;
      case 15: if ((x = text())) v.Machine = x; break;
      case 16: if ((x = list(tailcfgService))?.length) v.Services = x; break;
      case 17: if ((x = nullable(tailcfgNetInfo)) !== null) v.NetInfo = x; break;
      case 18: if ((x = optBool()) !== undefined) v.Userspace = x; break;
      case 19: if ((x = optBool()) !== undefined) v.UserspaceRouter = x; break;
      case 20: if ((x = optBool()) !== undefined) v.AppConnector = x; break;
      case 21: if ((x = list(prefix))?.length) v.RoutableIPs = x; break;
      case 22: if ((x = list(text))?.length) v.sshHostKeys = x; break;
      case 23: if ((x = nullable(tailcfgLocation)) !== null) v.Location = x; break;
      case 24: if ((x = text())) v.FrontendLogID = x; break;
      case 25: if ((x = optBool()) !== undefined) v.Container = x; break;
      case 26: if ((x = text())) v.Env = x; break;
      case 27: if ((x = text())) v.PushDeviceToken = x; break;
      case 28: if ((x = bool())) v.ShieldsUp = x; break;
      case 29: if ((x = bool())) v.ShareeNode = x; break;
      case 30: if ((x = bool())) v.NoLogsNoSupport = x; break;
      case 31: if ((x = bool())) v.RemoteConfig = x; break;
      case 32: if ((x = bool())) v.WireIngress = x; break;
      case 33: if ((x = bool())) v.IngressEnabled = x; break;
      case 34: if ((x = bool())) v.AllowsUpdate = x; break;
      case 35: if ((x = text())) v.GoArchVar = x; break;
      case 36: if ((x = list(text))?.length) v.RequestTags = x; break;
      case 37: if ((x = list(text))?.length) v.WoLMACs = x; break;
      case 38: if ((x = text())) v.Cloud = x; break;
      case 39: if ((x = text())) v.ServicesHash = x; break;
      case 40: if ((x = bool())) v.PeerRelay = x; break;
      case 41: if ((x = text())) v.ExitNodeID = x; break;
      case 42: if ((x = nullable(tailcfgTPMInfo)) !== null) v.TPM = x; break;
      case 43: if ((x = optBool()) !== undefined) v.StateEncrypted = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgService() {
  const v = { Proto: "", Port: 0 };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.Proto = text(); break;
      case 2: v.Port = uint(65535); break;
      case 3: if ((x = text())) v.Description = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgNetInfo() {
  const v = {};
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = optBool()) !== undefined) v.MappingVariesByDestIP = x; break;
      case 2: if ((x = optBool()) !== undefined) v.WorkingIPv6 = x; break;
      case 3: if ((x = optBool()) !== undefined) v.OSHasIPv6 = x; break;
      case 4: if ((x = optBool()) !== undefined) v.WorkingUDP = x; break;
      case 5: if ((x = optBool()) !== undefined) v.WorkingICMPv4 = x; break;
      case 6: if ((x = bool())) v.HavePortMap = x; break;
      case 7: if ((x = optBool()) !== undefined) v.UPnP = x; break;
      case 8: if ((x = optBool()) !== undefined) v.PMP = x; break;
      case 9: if ((x = optBool()) !== undefined) v.PCP = x; break;
      case 10: if ((x = int())) v.PreferredDERP = x; break;
      case 11: if ((x = text())) v.LinkType = x; break;
      case 12: if (some(x = map(string, float))) v.DERPLatency = x; break;
      case 13: if ((x = text())) v.FirewallMode = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgLocation() {
  const v = {};
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = text())) v.Country = x; break;
      case 2: if ((x = text())) v.CountryCode = x; break;
      case 3: if ((x = text())) v.City = x; break;
      case 4: if ((x = text())) v.CityCode = x; break;
      case 5: if (!isZero(x = float())) v.Latitude = x; break;
      case 6: if (!isZero(x = float())) v.Longitude = x; break;
      case 7: if ((x = int())) v.Priority = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgTPMInfo() {
  const v = {};
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = text())) v.Manufacturer = x; break;
      case 2: if ((x = text())) v.Vendor = x; break;
      case 3: if ((x = int())) v.Model = x; break;
      case 4: if ((x = uint())) v.FirmwareVersion = x; break;
      case 5: if ((x = int())) v.SpecRevision = x; break;
      case 6: if ((x = text())) v.FamilyIndicator = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function dnstypeResolver() {
  const v = {};
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = text())) v.Addr = x; break;
      case 2: if ((x = list(addr))?.length) v.BootstrapResolution = x; break;
      case 3: if ((x = bool())) v.UseWithExitNode = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function formatMisc() {
  const v = { MachineKey: "mkey:0000000000000000000000000000000000000000000000000000000000000000", CollectServices: false, DisplayMessages: null, TKAEnabled: false, TKAHead: "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", Domain: "", DomainAuditLogID: "" };
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.MachineKey = key('mkey:'); break;
      case 2: v.CollectServices = bool(); break;
      case 3: v.DisplayMessages = map(string, tailcfgDisplayMessage); break;
      case 4: v.TKAEnabled = bool(); break;
      case 5: v.TKAHead = hash(); break;
      case 6: v.Domain = text(); break;
      case 7: v.DomainAuditLogID = text(); break;
      case 8: v.Unknown = jsonObject(); break;
      default: skip();
    }
  }
  return v;
}

export function tailcfgDisplayMessage() {
  const v = { Title: "", Text: "", Severity: "" };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.Title = text(); break;
      case 2: v.Text = text(); break;
      case 3: v.Severity = text(); break;
      case 4: if ((x = bool())) v.ImpactsConnectivity = x; break;
      case 5: if ((x = nullable(tailcfgDisplayMessageAction)) !== null) v.PrimaryAction = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgDisplayMessageAction() {
  const v = { URL: "", Label: "" };
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.URL = text(); break;
      case 2: v.Label = text(); break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgDNSConfig() {
  const v = {};
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = list(() => nullable(dnstypeResolver)))?.length) v.Resolvers = x; break;
      case 2: if (some(x = map(string, () => list(() => nullable(dnstypeResolver))))) v.Routes = x; break;
      case 3: if ((x = list(() => nullable(dnstypeResolver)))?.length) v.FallbackResolvers = x; break;
      case 4: if ((x = list(text))?.length) v.Domains = x; break;
      case 5: if ((x = bool())) v.Proxied = x; break;
      case 6: if ((x = list(addr))?.length) v.Nameservers = x; break;
      case 7: if ((x = list(text))?.length) v.CertDomains = x; break;
      case 8: if ((x = list(tailcfgDNSRecord))?.length) v.ExtraRecords = x; break;
      case 9: if ((x = list(text))?.length) v.ExitNodeFilteredSet = x; break;
      case 10: if ((x = text())) v.TempCorpIssue13969 = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgDNSRecord() {
  const v = { Name: "", Value: "" };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.Name = text(); break;
      case 2: if ((x = text())) v.Type = x; break;
      case 3: v.Value = text(); break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgDERPMap() {
  const v = { Regions: null };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = nullable(tailcfgDERPHomeParams)) !== null) v.HomeParams = x; break;
      case 2: v.Regions = map(intKey, () => nullable(tailcfgDERPRegion)); break;
      case 3: if ((x = bool())) v.omitDefaultRegions = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgDERPHomeParams() {
  const v = {};
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if (some(x = map(intKey, float))) v.RegionScore = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgDERPRegion() {
  const v = { RegionID: 0, RegionCode: "", RegionName: "", Nodes: null };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.RegionID = int(); break;
      case 2: v.RegionCode = text(); break;
      case 3: v.RegionName = text(); break;
      case 4: if (!isZero(x = float())) v.Latitude = x; break;
      case 5: if (!isZero(x = float())) v.Longitude = x; break;
      case 6: if ((x = bool())) v.Avoid = x; break;
      case 7: if ((x = bool())) v.NoMeasureNoHome = x; break;
      case 8: v.Nodes = list(() => nullable(tailcfgDERPNode)); break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgDERPNode() {
  const v = { Name: "", RegionID: 0, HostName: "" };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.Name = text(); break;
      case 2: v.RegionID = int(); break;
      case 3: v.HostName = text(); break;
      case 4: if ((x = text())) v.CertName = x; break;
      case 5: if ((x = text())) v.IPv4 = x; break;
      case 6: if ((x = text())) v.IPv6 = x; break;
      case 7: if ((x = int())) v.STUNPort = x; break;
      case 8: if ((x = bool())) v.STUNOnly = x; break;
      case 9: if ((x = int())) v.DERPPort = x; break;
      case 10: if ((x = bool())) v.InsecureForTests = x; break;
      case 11: if ((x = text())) v.STUNTestIP = x; break;
      case 12: if ((x = bool())) v.CanPort80 = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgFilterRule() {
  const v = { SrcIPs: null };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.SrcIPs = list(text); break;
      case 2: if ((x = list(int))?.length) v.SrcBits = x; break;
      case 3: if ((x = list(tailcfgNetPortRange))?.length) v.DstPorts = x; break;
      case 4: if ((x = list(int))?.length) v.IPProto = x; break;
      case 5: if ((x = list(tailcfgCapGrant))?.length) v.CapGrant = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgNetPortRange() {
  const v = { IP: "", Ports: {"First":0,"Last":0} };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.IP = text(); break;
      case 2: if ((x = nullable(int)) !== null) v.Bits = x; break;
      case 3: v.Ports = tailcfgPortRange(); break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgPortRange() {
  const v = { First: 0, Last: 0 };
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.First = uint(65535); break;
      case 2: v.Last = uint(65535); break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgCapGrant() {
  const v = { Dsts: null };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.Dsts = list(prefix); break;
      case 2: if ((x = list(text))?.length) v.Caps = x; break;
      case 3: if (some(x = map(string, () => list(json)))) v.CapMap = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgSSHPolicy() {
  const v = { rules: null };
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.rules = list(() => nullable(tailcfgSSHRule)); break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgSSHRule() {
  const v = { principals: null, sshUsers: null, action: null };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = nullable(time)) !== null) v.ruleExpires = x; break;
      case 2: v.principals = list(() => nullable(tailcfgSSHPrincipal)); break;
      case 3: v.sshUsers = map(string, text); break;
      case 4: v.action = nullable(tailcfgSSHAction); break;
      case 5: if ((x = list(text))?.length) v.acceptEnv = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgSSHPrincipal() {
  const v = {};
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = text())) v.node = x; break;
      case 2: if ((x = text())) v.nodeIP = x; break;
      case 3: if ((x = text())) v.userLogin = x; break;
      case 4: if ((x = bool())) v.any = x; break;
      case 5: if ((x = list(text))?.length) v.pubKeys = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgSSHAction() {
  const v = {};
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = text())) v.message = x; break;
      case 2: if ((x = bool())) v.reject = x; break;
      case 3: if ((x = bool())) v.accept = x; break;
      case 4: if ((x = id())) v.sessionDuration = x; break;
      case 5: if ((x = bool())) v.allowAgentForwarding = x; break;
      case 6: if ((x = text())) v.holdAndDelegate = x; break;
      case 7: if ((x = bool())) v.allowLocalPortForwarding = x; break;
      case 8: if ((x = bool())) v.allowRemotePortForwarding = x; break;
      case 9: if ((x = list(addrPort))?.length) v.recorders = x; break;
      case 10: if ((x = nullable(tailcfgSSHRecorderFailureAction)) !== null) v.onRecordingFailure = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function tailcfgSSHRecorderFailureAction() {
  const v = {};
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: if ((x = text())) v.RejectSessionWithMessage = x; break;
      case 2: if ((x = text())) v.TerminateSessionWithMessage = x; break;
      case 3: if ((x = text())) v.NotifyURL = x; break;
      default: other(n, v);
    }
  }
  return v;
}

export function formatUser() {
  const v = { ID: 0, Profile: null };
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.ID = id(); break;
      case 2: v.Profile = nullable(tailcfgUserProfile); break;
      default: skip();
    }
  }
  return v;
}

export function tailcfgUserProfile() {
  const v = { ID: 0, LoginName: "", DisplayName: "" };
  let x;
  for (let left = count(), n = 0; left > 0; left--) {
    switch ((n = field(n))) {
      case 1: v.ID = id(); break;
      case 2: v.LoginName = text(); break;
      case 3: v.DisplayName = text(); break;
      case 4: if ((x = text())) v.ProfilePicURL = x; break;
      case 5: if ((x = list(text))?.length) v.Groups = x; break;
      default: other(n, v);
    }
  }
  return v;
}
