-- netlab for Wireshark: frames with a length in front, and the messages of the room server.
--
-- Install: save this as netlab.lua in Wireshark's folder for Lua plugins, which Help > About Wireshark > Folders
-- names "Personal Lua Plugins" (Linux and macOS: ~/.local/lib/wireshark/plugins, Windows:
-- %APPDATA%\Wireshark\plugins), and restart Wireshark. Once, without installing:
--
--     tshark -X lua_script:netlab.lua -r capture.pcapng -O netlab,netlab_u16,netlab_u32,netlab_header
--
-- Ports: Edit > Preferences > Protocols > NETLAB_U16 (NETLAB_U32, NETLAB_HEADER), or `-o netlab_u16.ports:12000`,
-- or for one capture `-d tcp.port==40001,netlab_u16` (Analyze > Decode As).
--
--   framing   on the wire
--   u16       length: u16 BE, payload
--   u32       length: u32 BE, payload
--   header    length: u16 BE, that many bytes of JSON, content-length bytes of content
--
-- TCP has no messages, so a frame may begin and end anywhere: dissect_tcp_pdus() collects the segments until a
-- frame is whole.

-- A length beyond this is no length, but something else that is read as one. netlab's own limit is 1 MiB.
local LONGEST = 64 * 1024 * 1024

local netlab = Proto("netlab", "netlab")
local fields = {
    length = ProtoField.uint32("netlab.length", "Length", base.DEC, nil, nil, "Bytes of payload, the prefix not counted"),
    header = ProtoField.string("netlab.header", "Header", base.UNICODE, "What the content is, as JSON"),
    content_length = ProtoField.uint32("netlab.content_length", "content-length"),
    content_type = ProtoField.string("netlab.content_type", "content-type"),
    content_encoding = ProtoField.string("netlab.content_encoding", "content-encoding"),
    byteorder = ProtoField.string("netlab.byteorder", "byteorder"),
    payload = ProtoField.bytes("netlab.payload", "Payload"),
    type = ProtoField.string("netlab.type", "Type", base.UNICODE, "The message's type"),
    id = ProtoField.string("netlab.id", "Id", base.UNICODE, "Chosen by the client, returned in the answer"),
    room = ProtoField.string("netlab.room", "Room"),
    username = ProtoField.string("netlab.username", "Username"),
    from = ProtoField.string("netlab.from", "From"),
    text = ProtoField.string("netlab.text", "Text", base.UNICODE),
    seq = ProtoField.string("netlab.seq", "Sequence", base.UNICODE, "Counts the room's messages"),
    code = ProtoField.string("netlab.code", "Code", base.UNICODE, "Of an error"),
    message = ProtoField.string("netlab.message", "Message", base.UNICODE),
    reason = ProtoField.string("netlab.reason", "Reason", base.UNICODE),
}
netlab.fields = fields
local too_long = ProtoExpert.new("netlab.too_long", "No frame of this framing", expert.group.PROTOCOL, expert.severity.WARN)
local no_header = ProtoExpert.new("netlab.no_header", "The header is no JSON object with a content-length", expert.group.PROTOCOL, expert.severity.WARN)
netlab.experts = { too_long, no_header }

-- JSON -------------------------------------------------------------------------------------------------------
-- Reads a whole document; nil if there is none. Objects are tables; null is the string "null", since nil would
-- be no member at all.

local ESCAPES = { b = "\b", f = "\f", n = "\n", r = "\r", t = "\t", ['"'] = '"', ["\\"] = "\\", ["/"] = "/" }

local function utf8_bytes(code)
    if code < 0x80 then return string.char(code) end
    local tail, first = "", 0x40
    while code >= first do
        tail = string.char(0x80 + code % 0x40) .. tail
        code = math.floor(code / 0x40)
        first = math.floor(first / 2)
    end
    return string.char(256 - 2 * first + code) .. tail
end

local function json_string(s, at)
    local parts = {}
    while true do
        local stop = s:find('["\\]', at)
        if not stop then return nil end
        parts[#parts + 1] = s:sub(at, stop - 1)
        if s:sub(stop, stop) == '"' then return table.concat(parts), stop + 1 end
        local escape = s:sub(stop + 1, stop + 1)
        at = stop + 2
        if escape == "u" then
            local code = tonumber(s:match("^%x%x%x%x", at) or "", 16)
            if not code then return nil end
            at = at + 4
            local low = tonumber(s:match("^\\u(%x%x%x%x)", at) or "", 16)
            if code >= 0xD800 and code < 0xDC00 and low and low >= 0xDC00 and low < 0xE000 then
                code = 0x10000 + (code - 0xD800) * 0x400 + (low - 0xDC00)
                at = at + 6
            end
            parts[#parts + 1] = utf8_bytes(code)
        else
            if not ESCAPES[escape] then return nil end
            parts[#parts + 1] = ESCAPES[escape]
        end
    end
end

local json_value

local function json_items(s, at, close, item)
    at = s:match("^%s*()", at)
    if s:sub(at, at) == close then return at + 1 end
    while true do
        at = item(at)
        if not at then return nil end
        local mark
        mark, at = s:match("^%s*([,%]}])()", at)
        if mark == close then return at end
        if mark ~= "," then return nil end
    end
end

function json_value(s, at, depth)
    if depth > 100 then return nil end
    at = s:match("^%s*()", at)
    local first = s:sub(at, at)
    if first == '"' then return json_string(s, at + 1) end
    if first == "{" then
        local object = {}
        local after = json_items(s, at + 1, "}", function(place)
            local quote = s:match('^%s*"()', place)
            if not quote then return nil end
            local name, colon = json_string(s, quote)
            colon = name and s:match("^%s*:()", colon)
            if not colon then return nil end
            local value, behind = json_value(s, colon, depth + 1)
            object[name] = value
            return behind
        end)
        if after then return object, after end
        return nil
    end
    if first == "[" then
        local list = {}
        local after = json_items(s, at + 1, "]", function(place)
            local value, behind = json_value(s, place, depth + 1)
            list[#list + 1] = value
            return behind
        end)
        if after then return list, after end
        return nil
    end
    local word, after = s:match("^([%w%.%+%-]+)()", at)
    if not word then return nil end
    if word == "true" then return true, after end
    if word == "false" then return false, after end
    if word == "null" or tonumber(word) then return word, after end
    return nil
end

local function json(s)
    if not s:match("^%s*{") then return nil end
    local value, after = json_value(s, 1, 0)
    if value and s:match("^%s*$", after) then return value end
    return nil
end

-- What a frame holds -----------------------------------------------------------------------------------------

local function add_text(tree, field, range, value)
    if type(value) == "string" then tree:add(field, range, value) end
end

local MEMBERS = { "room", "username", "from", "text", "seq", "code", "message", "reason" }

-- Shows a payload; returns its type if it is a message.
local function payload(range, tree)
    tree:add(fields.payload, range)
    if range:len() == 0 then return nil end
    local message = json(range:string(ENC_UTF_8))
    if not message or type(message.type) ~= "string" then return nil end
    tree:add(fields.type, range, message.type)
    add_text(tree, fields.id, range, message.id)
    if type(message.data) == "table" then
        for _, name in ipairs(MEMBERS) do
            add_text(tree, fields[name], range, message.data[name])
        end
    end
    return message.type
end

-- What the header of `header` framing says, as soon as it is there.
local function header_of(tvb, offset)
    local length = tvb(offset, 2):uint()
    if tvb:len() - offset < 2 + length then return nil, length end
    local text = length > 0 and tvb(offset + 2, length):string(ENC_UTF_8) or ""
    local header = json(text) or {}
    return { text = text, length = length, members = header, content = tonumber(header["content-length"]) }
end

-- The framings -----------------------------------------------------------------------------------------------

local FRAMINGS = {
    u16 = { title = "netlab frames, u16 length", least = 2, ports = "12000" },
    u32 = { title = "netlab frames, u32 length", least = 4, ports = "5000" },
    header = { title = "netlab frames, JSON header", least = 2, ports = "" },
}

-- How long the frame at `offset` is; 0: that can't be told yet, bring another segment.
local function length_of(name, tvb, offset)
    local total
    if name == "header" then
        local header = header_of(tvb, offset)
        if not header then return 0 end
        total = header.content and 2 + header.length + header.content
    else
        local least = FRAMINGS[name].least
        total = least + tvb(offset, least):uint()
    end
    if total and total <= LONGEST then return total end
    -- No frame: the rest of the segment is shown as what it is.
    return tvb:len() - offset
end

local function dissect_frame(name, proto, tvb, pinfo, root)
    local tree = root:add(proto, tvb())
    local kind
    if name == "header" then
        local header = header_of(tvb, 0)
        if not header or not header.content then
            tree:add_proto_expert_info(no_header)
            return tvb:len()
        end
        tree:add(fields.length, tvb(0, 2))
        local range = tvb(2, header.length)
        tree:add(fields.header, range, header.text)
        tree:add(fields.content_length, range, header.content)
        add_text(tree, fields.content_type, range, header.members["content-type"])
        add_text(tree, fields.content_encoding, range, header.members["content-encoding"])
        add_text(tree, fields.byteorder, range, header.members["byteorder"])
        if header.content > 0 then kind = payload(tvb(2 + header.length), tree) end
    else
        local least = FRAMINGS[name].least
        local length = tvb(0, least):uint()
        tree:add(fields.length, tvb(0, least))
        if least + length > LONGEST then
            tree:add_proto_expert_info(too_long, "A length of " .. length .. " bytes: this is no frame of " .. name)
            return tvb:len()
        end
        if length > 0 then kind = payload(tvb(least, length), tree) end
    end
    tree:append_text(kind and (": " .. kind) or (", " .. tvb:len() .. " bytes"))
    pinfo.cols.info:append(" " .. (kind or (tvb:len() .. " B")))
    return tvb:len()
end

for name, framing in pairs(FRAMINGS) do
    local proto = Proto("netlab_" .. name, framing.title)
    proto.prefs.ports = Pref.range("TCP ports", framing.ports, "Ports whose bytes are frames of " .. name, 65535)
    proto.prefs.desegment = Pref.bool("Collect the segments of a frame", true, "Else a frame must lie in one segment")
    local table = DissectorTable.get("tcp.port")
    local registered

    function proto.dissector(tvb, pinfo, root)
        if tvb:len() == 0 then return 0 end
        pinfo.cols.protocol = "NETLAB"
        pinfo.cols.info:clear()
        pinfo.cols.info:append(name)
        dissect_tcp_pdus(
            tvb, root, framing.least,
            function(buffer, _, offset) return length_of(name, buffer, offset) end,
            function(buffer, info, tree) return dissect_frame(name, proto, buffer, info, tree) end,
            proto.prefs.desegment
        )
        return tvb:len()
    end

    local function register()
        if registered then table:remove(registered, proto) end
        registered = proto.prefs.ports
        table:add(registered, proto)
    end

    function proto.prefs_changed()
        register()
    end

    register()
    -- So that "Decode As" and `-d` offer it for any port.
    table:add_for_decode_as(proto)
end
