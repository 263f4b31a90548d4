/** What a text of a request names; `none`: nothing that could be somebody else's. */
export type Named =
  | "container"
  | "new container"
  | "image"
  | "volume"
  | "share"
  | "network"
  | "registry"
  | "user"
  | "task"
  | "session"
  | "token"
  | "openvz container"
  | "job"
  | "none";

type Fields = Readonly<Record<string, Named>>;

const image: Fields = {
  image: "image",
  tag: "image",
  registry_name: "registry",
  fingerprint: "image",
  ...none("download.description download.location download.icon description location icon"),
};

const create: Fields = {
  ...image,
  name: "new container",
  "links.{key}": "container",
  "links.{value}": "none",
  "volume.container.[]": "container",
  "volume.host.{key}": "share",
  "volume.new.[]": "volume",
  "network.mode": "network",
  "network.interface": "network",
  "network.bridge.interface.bridge": "network",
  "network.bridge.interface.name": "network",
  ...none("entrypoint entrypoint.[] command command.[] user working_dir environment.[] volume.host.{value}.bind"),
  ...none("network.hostname network.mac_addr network.dns.[] network.bridge.ip network.bridge.netmask"),
  ...none("network.bridge.gateway resource.limit.memory resource.device.[].[] resource.gpu.[] image_from.from"),
};

const container: Fields = { "params id": "container" };
const openvz: Fields = { "params id": "openvz container" };
const login: Fields = body("username password code sid", "none");
const loginPage = (part: string): Fields => inPart(part, none("user pwd plain_pwd security_code sid"));

/**
 * Every text that a request has, by its route: what it names. A field that is not here fails the test, so that whoever
 * adds one says what it names, and the test then tries it with what is somebody else's.
 */
export const objectFields: Readonly<Record<string, Fields>> = {
  "POST /login": without(login, "body code"),
  "POST /login/two-step": without(login, "body sid"),
  "GET /cgi-bin/authLogin.cgi": loginPage("querystring"),
  "POST /cgi-bin/authLogin.cgi": { ...loginPage("querystring"), ...loginPage("body") },
  "DELETE /sessions/:id": { "params id": "session" },
  "POST /tokens": body("name", "none"),
  "DELETE /tokens/:id": { "params id": "token" },
  "PUT /password": body("current password", "none"),
  "POST /two-step": body("password", "none"),
  "PUT /two-step": body("code", "none"),
  "DELETE /two-step": body("password code", "none"),
  "POST /users": { "body username": "user", "body password": "none" },
  "PUT /users/:username": { "params username": "user", "body password": "none" },
  "DELETE /users/:username": { "params username": "user" },
  "GET /log": {
    ...inPart("querystring", none("start end level category text limit offset")),
    "querystring user": "user",
  },
  "GET /log/export": { ...inPart("querystring", none("start end level category text")), "querystring user": "user" },

  "POST /background/create": inPart("body", create),
  "POST /background/image_download": inPart("body", image),
  "POST /background/image_pull": inPart("body", image),
  "POST /background/image_remove": body("image tag id [].image [].tag [].id", "image"),
  "POST /background/:category": { "params category": "none" },
  "GET /background": inPart("querystring", none("category limit before")),
  "GET /background/:id": { "params id": "task" },
  "DELETE /background/:target": { "params target": "task" },

  "POST /container": inPart("body", create),
  "GET /container/:name": { "params name": "container" },
  "GET /container/:type/:id": container,
  "GET /container/:type/getid/:id": container,
  "GET /container/:type/:id/all": container,
  "GET /container/:type/:id/inspect": container,
  "GET /container/:type/:id/logs": { ...container, "querystring tail": "none" },
  "PUT /container/:type/:id/start": container,
  "PUT /container/:type/:id/stop": { ...container, "querystring timeout": "none" },
  "PUT /container/:type/:id/restart": { ...container, "querystring timeout": "none" },
  "POST /container/:type/:id/pause": container,
  "POST /container/:type/:id/unpause": container,
  "POST /container/:type/:id/rename": { ...container, "body name": "new container" },
  "PUT /container/:type/:id/autostart/:state": container,
  "POST /container/:type/:id/commit": {
    ...container,
    ...body("repository tag", "image"),
    ...body("author message", "none"),
  },
  "POST /container/:type/:id/exec": {
    ...container,
    ...body("command command.[] user working_dir environment.[]", "none"),
  },
  "DELETE /container/:type/:id": { ...container, ...inPart("querystring", none("remove_volumes force")) },

  "POST /registry": { ...body("name oldname", "registry"), ...body("url version username password", "none") },
  "DELETE /registry": body("name", "registry"),
  "DELETE /registry/:name": { "params name": "registry" },

  "GET /event": inPart("querystring", none("index offset")),
  "GET /event/wait/:type/:id/:state": { ...container, "querystring duration": "none" },
  "GET /event/stream": { "querystring after": "none" },
  "GET /system/port/:protocol/:port": { "params port": "none" },
  "PUT /tls/domain_names": body("domain_names", "none"),

  "POST /v0.1/containers": { "body name": "new container", "body ostemplate": "image" },
  "GET /v0.1/containers/:id": openvz,
  "PATCH /v0.1/containers/:id": {
    ...openvz,
    ...body("parameters.hostname parameters.cpus parameters.memsize parameters.memsize_units", "none"),
    ...body("parameters.ipadd parameters.size parameters.size_units parameters.nameserver", "none"),
    ...body("parameters.description", "none"),
  },
  "DELETE /v0.1/containers/:id": openvz,
  "POST /v0.1/containers/:id/start": openvz,
  "POST /v0.1/containers/:id/stop": openvz,
  "POST /v0.1/containers/:id/restart": openvz,
  "GET /v0.1/jobs/:id": { "params id": "job" },
};

function none(names: string): Fields {
  return Object.fromEntries(names.split(" ").map((name) => [name, "none"]));
}

function body(names: string, named: Named): Fields {
  return Object.fromEntries(names.split(" ").map((name) => [`body ${name}`, named]));
}

function inPart(part: string, fields: Fields): Fields {
  return Object.fromEntries(Object.entries(fields).map(([name, named]) => [`${part} ${name}`, named]));
}

function without(fields: Fields, left: string): Fields {
  return Object.fromEntries(Object.entries(fields).filter(([name]) => name !== left));
}
