-- The tokens of one login: a family with its first access and refresh token.
WITH family AS (
  INSERT INTO oidc_tokenfamily (id, client_id, user_id, scope, issuer, sid, auth_time, amr, session_hash, proof_key,
    created_at, expires_at, used_at, revoked_at)
  VALUES (%(id)s, %(client)s, %(user)s, %(scope)s, %(issuer)s, %(sid)s, %(auth_time)s, %(amr)s::jsonb,
    %(session_hash)s, '', %(now)s, %(expires_at)s, %(now)s, NULL)
), access AS (
  INSERT INTO oidc_accesstoken (token_hash, family_id, scope, created_at, expires_at)
  VALUES (%(access)s, %(id)s, %(scope)s, %(now)s, %(access_expires_at)s)
)
INSERT INTO oidc_refreshtoken (token_hash, family_id, created_at, used_at) VALUES (%(refresh)s, %(id)s, %(now)s, NULL)
