// A provider with three people, for the tests: whoever types a name and anything as the password is that person.
import { generateKeyPairSync } from "node:crypto";
import Provider from "oidc-provider";

const [, , port, back, secret, algorithm] = process.argv;
const pair = algorithm === "ES256" ? generateKeyPairSync("ec", { namedCurve: "P-256" }) : generateKeyPairSync("rsa", { modulusLength: 2048 });
const key = { ...pair.privateKey.export({ format: "jwk" }), use: "sig", alg: algorithm };

const people = {
  ana: { email: "ana@example.org", email_verified: true, groups: ["farero-admins", "otros"] },
  beto: { email: "beto@example.org", email_verified: true, groups: ["guardia"] },
  zoe: { email: "zoe@example.org", email_verified: false, groups: ["otros"] },
};

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: "farero",
      client_secret: secret,
      redirect_uris: [`${back}/login/provider/empresa/back`],
      post_logout_redirect_uris: [`${back}/login`],
      id_token_signed_response_alg: algorithm,
    },
  ],
  jwks: { keys: [key] },
  cookies: { keys: ["a key of the tests"] },
  pkce: { required: () => true },
  claims: { openid: ["sub"], profile: ["preferred_username"], email: ["email", "email_verified"], groups: ["groups"] },
  features: { devInteractions: { enabled: true }, rpInitiatedLogout: { enabled: true } },
  async findAccount(_, id) {
    return people[id] && { accountId: id, claims: async () => ({ sub: id, preferred_username: id, ...people[id] }) };
  },
});
provider.listen(Number(port), "127.0.0.1");
