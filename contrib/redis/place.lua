-- The next place of an operation. KEYS[1] is a list with the latest begin of each request, "w1:"
-- and microseconds of the server's clock, sorted; begins older than a second are dropped.
-- ARGV: requests within a second, microseconds within which the asking process begins after its
-- place, the longest wait in microseconds.
-- Returns 1 if the place is taken, 0 if it is too far away, -1 for somebody else's key; and the
-- microseconds to the place.
local second, most = 1000000, tonumber(ARGV[3])
local function begin(entry)
	return entry and string.sub(entry, 1, 3) == 'w1:' and tonumber(string.sub(entry, 4))
end
local kind = redis.call('TYPE', KEYS[1]).ok
local last
if kind == 'list' then
	last = begin(redis.call('LINDEX', KEYS[1], -1))
end
if kind ~= 'none' and not last then
	return {-1, 0}
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
if last and last > now + 2 * 60 * second then -- no place is so far away: the clock went back
	redis.call('DEL', KEYS[1])
	last = nil
end
while last do
	local first = begin(redis.call('LINDEX', KEYS[1], 0))
	if not first or first + second > now then
		break
	end
	redis.call('LPOP', KEYS[1])
end
local at = now
local before = redis.call('LINDEX', KEYS[1], -tonumber(ARGV[1]))
if before then
	at = math.max(now, begin(before) + second)
end
if at - now > most then
	return {0, at - now}
end
local latest = math.max(at + tonumber(ARGV[2]), last or 0)
redis.call('RPUSH', KEYS[1], string.format('w1:%.0f', latest))
redis.call('PEXPIRE', KEYS[1], math.ceil((latest - now) / 1000) + 2000)
return {1, at - now}
