-- Checks all charges, then takes all of them or none (abuse.limiter).
-- KEYS: the configuration's version, the form or "", then the count of each charge.
-- ARGV: the version that the caller goes by or "", the candidate, how long a form is remembered, and six numbers for
-- each charge: amount, need, cost, period, near, and how many of those behind it stand instead of it.
-- Returns the wait (-1: the form was charged before, -2: the version is another one), whose it is, the version, the
-- first candidate of the form, and which counts have come near their ceiling.
local found = redis.call('MGET', unpack(KEYS))
local version = found[1]
if ARGV[1] ~= '' and version ~= ARGV[1] then return {-2, 0, version, false, ''} end
if KEYS[2] ~= '' and found[2] then return {-1, 0, version, found[2], ''} end
local given = cjson.decode(ARGV[4])
local function lacks(i)
  local a = (i - 3) * 6
  local amount, need = given[a + 1], given[a + 2]
  if need == 0 then return 0 end
  need = math.min(need, amount)
  if amount > 0 and tonumber(found[i] or '0') + need <= amount then return 0 end
  local left = redis.call('PTTL', KEYS[i])
  return left < 0 and given[a + 4] or left
end
local wait, which, taken, i = 0, 0, {}, 3
while i <= #KEYS do
  local left, others = lacks(i), given[(i - 3) * 6 + 6]
  if left == 0 then
    taken[#taken + 1] = i
  elseif others > 0 then
    local longest = 0
    for j = i + 1, i + others do longest = math.max(longest, lacks(j)) end
    if longest == 0 then
      for j = i + 1, i + others do taken[#taken + 1] = j end
    end
    left = math.min(left, longest)
  end
  if left > wait then wait, which = left, i - 2 end
  i = i + 1 + others
end
if wait > 0 then return {wait, which, version, false, ''} end
local near = ''
for _, i in ipairs(taken) do
  local a = (i - 3) * 6
  local cost, mark = given[a + 3], given[a + 5]
  if cost > 0 then
    local count = redis.call('INCRBY', KEYS[i], cost)
    if count == cost then redis.call('PEXPIRE', KEYS[i], given[a + 4]) end
    if count - cost < mark and count >= mark then near = near .. ' ' .. (i - 2) end
  end
end
if KEYS[2] ~= '' then redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3]) end
return {0, 0, version, false, near}
